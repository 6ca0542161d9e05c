#!/bin/sh
# Installs DeconomiX GUI for the user who runs this, without an administrator; --remove takes it away again and keeps sessions and settings.
set -eu
here=$(dirname "$(readlink -f "$0")")
data=${XDG_DATA_HOME:-$HOME/.local/share}
place="$HOME/.local/lib/deconomix-gui"
command="$HOME/.local/bin/deconomix-gui"
files="applications/org.deconomix.gui.desktop mime/packages/deconomix-gui.xml metainfo/org.deconomix.gui.metainfo.xml"
for size in 48 128 256; do
    files="$files icons/hicolor/${size}x${size}/apps/deconomix-gui.png icons/hicolor/${size}x${size}/mimetypes/application-x-dcxsession.png"
done

refresh() {
    command -v update-mime-database >/dev/null 2>&1 && update-mime-database "$data/mime" >/dev/null 2>&1 || true
    command -v update-desktop-database >/dev/null 2>&1 && update-desktop-database "$data/applications" >/dev/null 2>&1 || true
    command -v gtk-update-icon-cache >/dev/null 2>&1 && gtk-update-icon-cache -q -t -f "$data/icons/hicolor" >/dev/null 2>&1 || true
}

remove() {
    rm -rf "$place" "$place.new" "$place.old"
    [ ! -L "$command" ] || rm -f "$command"
    for file in $files; do
        rm -f "$data/$file"
        rmdir -p "$(dirname "$data/$file")" 2>/dev/null || true
    done
    refresh
}

if [ "${1:-}" = "--remove" ]; then
    if pgrep -u "$(id -u)" -f "$place/app/deconomix-gui" >/dev/null 2>&1; then
        echo "DeconomiX GUI is running: close it first." >&2
        exit 1
    fi
    remove
    echo "DeconomiX GUI is removed. Sessions and settings are still in $data/DeconomiX GUI."
    exit 0
fi

mkdir -p "$(dirname "$place")" "$(dirname "$command")"
rm -rf "$place.new" "$place.old"
mkdir "$place.new"
cp -R "$here/app" "$here/deconomix-gui" "$here/install.sh" "$here/share" "$place.new/"  # beside the old one, which stays until this one is whole
[ ! -e "$place" ] || mv "$place" "$place.old"
mv "$place.new" "$place"
rm -rf "$place.old"
ln -sfn "$place/deconomix-gui" "$command"
for file in $files; do
    mkdir -p "$(dirname "$data/$file")"
    cp "$here/share/$file" "$data/$file"
done
# desktops do not always look for commands below the home folder
sed -i -e "s|^Exec=deconomix-gui|Exec=\"$command\"|" -e "s|^TryExec=.*|TryExec=$command|" "$data/applications/org.deconomix.gui.desktop"
refresh
echo "DeconomiX GUI is installed: start it from the menu, or as $command. To remove it: $place/install.sh --remove"
