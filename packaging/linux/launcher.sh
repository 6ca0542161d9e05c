#!/bin/sh
# Starts DeconomiX GUI. A system that is too old for it cannot even load it, so that is looked at and said here.
here=$(dirname "$(readlink -f "$0")")
program="$here/@PROGRAM@"
needed="@GLIBC@"

say() {
    echo "deconomix-gui: $1" >&2
    [ -t 2 ] && return
    if command -v zenity >/dev/null 2>&1; then zenity --error --title "DeconomiX GUI" --no-markup --text "$1"
    elif command -v kdialog >/dev/null 2>&1; then kdialog --title "DeconomiX GUI" --error "$1"
    elif command -v notify-send >/dev/null 2>&1; then notify-send "DeconomiX GUI" "$1"
    elif command -v xmessage >/dev/null 2>&1; then xmessage "$1"
    fi
}

have=$(getconf GNU_LIBC_VERSION 2>/dev/null | sed -n 's/^glibc //p')
if [ -z "$have" ]; then
    say "This program needs a Linux with glibc $needed or newer; this system has none (Alpine and its like do not). Use @SYSTEMS@ or newer."
    exit 2
fi
if [ "$(printf '%s\n%s\n' "$needed" "$have" | sort -V | head -n 1)" != "$needed" ]; then
    say "This program needs glibc $needed or newer; this system has $have. Use @SYSTEMS@ or newer, or have the program run on a server and open it in a browser."
    exit 2
fi
exec "$program" "$@"
