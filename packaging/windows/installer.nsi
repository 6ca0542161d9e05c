; DeconomiX GUI for Windows: per user and without an administrator, or for all users from an elevated prompt (/ALLUSERS).
;   setup.exe [/S] [/ALLUSERS] [/D=C:\a folder]        uninstall.exe [/S] [/PURGE]
; Everything that is ours lies in $INSTDIR\app, so that an upgrade and a removal take nothing else away.
; make_setup.py calls:  makensis -WX -INPUTCHARSET UTF8 -DVERSION=1.2.3 -DNUMBERS=1.2.3.0 -DSOURCE=… -DTARGET=… -DKILOBYTES=… [-DSIGN=command] [-DAMD64=1] installer.nsi

Unicode true
!ifdef AMD64  ; only Debian's NSIS has it, for a wine without 32-bit parts; what is handed out starts as a 32-bit program, like every NSIS installer
Target amd64-unicode
!endif
!include MUI2.nsh
!include LogicLib.nsh
!include FileFunc.nsh
!include x64.nsh

!define NAME "DeconomiX GUI"
!define PROGRAM "DeconomiX GUI.exe"
!define PROGID "DeconomiX.Session"
!define SUFFIX ".dcxsession"
!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\DeconomiX-GUI"
!define WEBVIEW2 "Microsoft\EdgeUpdate\Clients\{F3017226-FE2A-4295-8BDF-00C3A9A7E4C5}"
!define OLD "app.deconomix-gui-old"  ; the program before, until the new one is whole
!define MARK "deconomix-gui.mark"  ; in app from its first moment on: the folder is ours
!define NOTICES "Software\Classes\AppUserModelId\DeconomiX"  ; written by the program with its first notice of the desktop
!define RUNTIME "MicrosoftEdgeWebView2RuntimeInstallerX64.exe"

; exit codes, as ADMIN.md lists them
!define NOT_ALLOWED 3
!define IN_USE 4
!define TOO_OLD 5

Name "${NAME}"
OutFile "${TARGET}"
RequestExecutionLevel user
SetCompressor /SOLID lzma
ManifestDPIAware true
BrandingText "${NAME} ${VERSION} - for research use only"
Icon "..\icons\app.ico"
UninstallIcon "..\icons\app.ico"
!define MUI_ICON "..\icons\app.ico"
!define MUI_UNICON "..\icons\app.ico"
!define MUI_ABORTWARNING
!define MUI_COMPONENTSPAGE_NODESC

VIProductVersion "${NUMBERS}"
VIFileVersion "${NUMBERS}"
VIAddVersionKey /LANG=0 "ProductName" "${NAME}"
VIAddVersionKey /LANG=0 "ProductVersion" "${VERSION}"
VIAddVersionKey /LANG=0 "FileVersion" "${VERSION}"
VIAddVersionKey /LANG=0 "FileDescription" "${NAME} setup"
VIAddVersionKey /LANG=0 "CompanyName" "The DeconomiX GUI developers"
VIAddVersionKey /LANG=0 "LegalCopyright" "GPL-3.0-or-later. For research use only."

!ifdef SIGN
!finalize '${SIGN} "%1"' = 0
!uninstfinalize '${SIGN} "%1"' = 0
!endif

!insertmacro MUI_PAGE_WELCOME
!insertmacro MUI_PAGE_LICENSE "..\..\LICENSE"
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!define MUI_FINISHPAGE_RUN "$INSTDIR\app\${PROGRAM}"
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_COMPONENTS
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"

Var ForAll
Var Writing  ; 1 while the new program is not whole

!macro CONTEXT
  SetRegView 64
  ${If} $ForAll == 1
    SetShellVarContext all
  ${Else}
    SetShellVarContext current
  ${EndIf}
!macroend

!macro REFUSE CODE TEXT
  SetErrorLevel ${CODE}
  MessageBox MB_OK|MB_ICONSTOP "${TEXT}" /SD IDOK
  Abort
!macroend

; $R0 is 1 if $INSTDIR\app is ours, also where an installer was ended in the middle
!macro OURS
  StrCpy $R0 0
  ${If} ${FileExists} "$INSTDIR\app\${PROGRAM}"
  ${OrIf} ${FileExists} "$INSTDIR\app\${MARK}"
    StrCpy $R0 1
  ${EndIf}
!macroend

; what earlier upgrades have left: of ours only
!macro REMOVE_OLD
  RMDir /r "$INSTDIR\${OLD}"
  ${If} ${FileExists} "$INSTDIR\app.old\${PROGRAM}"
    RMDir /r "$INSTDIR\app.old"
  ${EndIf}
!macroend

Function .onInit
  ${IfNot} ${RunningX64}
    !insertmacro REFUSE ${TOO_OLD} "${NAME} needs a 64-bit Windows (10 or newer) on an Intel or AMD processor."
  ${EndIf}
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/ALLUSERS" $1
  ${If} ${Errors}
    StrCpy $ForAll 0
  ${Else}
    StrCpy $ForAll 1
  ${EndIf}
  UserInfo::GetAccountType
  Pop $2
  ${If} $ForAll == 1
    ${If} $2 != "admin"
      !insertmacro REFUSE ${NOT_ALLOWED} "Only an administrator can install for all users: start this from an elevated prompt, or without /ALLUSERS to install for yourself."
    ${EndIf}
  ${ElseIf} $2 == "admin"
    MessageBox MB_YESNO|MB_ICONQUESTION "Install ${NAME} for all users of this computer? No installs it for you alone." /SD IDNO IDNO alone
    StrCpy $ForAll 1
    alone:
  ${EndIf}
  !insertmacro CONTEXT
  ${If} $INSTDIR == ""  ; not given as /D=
    ReadRegStr $INSTDIR SHCTX "${UNINSTALL}" "InstallLocation"
  ${EndIf}
  ${If} $INSTDIR == ""
    ${If} $ForAll == 1
      StrCpy $INSTDIR "$PROGRAMFILES64\${NAME}"
    ${Else}
      StrCpy $INSTDIR "$LOCALAPPDATA\Programs\${NAME}"
    ${EndIf}
  ${EndIf}
FunctionEnd

; what was written goes, and the program that was there before is there again
Function PutBack
  ${If} $Writing == 1
    StrCpy $Writing 0
    SetOutPath "$TEMP"  ; out of the folder that goes
    RMDir /r "$INSTDIR\app"
    Rename "$INSTDIR\${OLD}" "$INSTDIR\app"
  ${EndIf}
FunctionEnd

; where the disk is full in the middle of the files, which ends the section on the spot
Function .onInstFailed
  Call PutBack
FunctionEnd

Section "${NAME}" SecProgram
  ; one that is running keeps its files: then the old one stays whole
  RMDir "$INSTDIR\app"  ; an empty one
  ${If} ${FileExists} "$INSTDIR\app\*.*"
    !insertmacro OURS
    ${If} $R0 != 1
      !insertmacro REFUSE ${NOT_ALLOWED} "In $INSTDIR there is already a folder named app that is not of ${NAME}. Choose another folder."
    ${EndIf}
    !insertmacro REMOVE_OLD
    ClearErrors
    Rename "$INSTDIR\app" "$INSTDIR\${OLD}"
    ${If} ${Errors}
      !insertmacro REFUSE ${IN_USE} "${NAME} is running: close it and start the installer again."
    ${EndIf}
  ${EndIf}
  StrCpy $Writing 1
  SetOutPath "$INSTDIR\app"
  ClearErrors
  FileOpen $0 "$INSTDIR\app\${MARK}" w
  FileClose $0
  File /r "${SOURCE}\*.*"
  File /oname=session.ico "..\icons\session.ico"
  ${If} ${Errors}
    Call PutBack
    !insertmacro REFUSE ${NOT_ALLOWED} "The files could not be written to $INSTDIR. Choose another folder, or make room on the disk."
  ${EndIf}
  StrCpy $Writing 0
  !insertmacro REMOVE_OLD
  WriteUninstaller "$INSTDIR\uninstall.exe"

  CreateShortcut "$SMPROGRAMS\${NAME}.lnk" "$INSTDIR\app\${PROGRAM}"

  WriteRegStr SHCTX "Software\Classes\${PROGID}" "" "DeconomiX session"
  WriteRegStr SHCTX "Software\Classes\${PROGID}\DefaultIcon" "" "$INSTDIR\app\session.ico"
  WriteRegStr SHCTX "Software\Classes\${PROGID}\shell\open\command" "" '"$INSTDIR\app\${PROGRAM}" "%1"'
  WriteRegStr SHCTX "Software\Classes\${SUFFIX}" "" "${PROGID}"
  WriteRegStr SHCTX "Software\Classes\${SUFFIX}" "Content Type" "application/x-dcxsession"
  WriteRegStr SHCTX "Software\Classes\${SUFFIX}\OpenWithProgids" "${PROGID}" ""

  WriteRegStr SHCTX "${UNINSTALL}" "DisplayName" "${NAME}"
  WriteRegStr SHCTX "${UNINSTALL}" "DisplayVersion" "${VERSION}"
  WriteRegStr SHCTX "${UNINSTALL}" "Publisher" "The DeconomiX GUI developers"
  WriteRegStr SHCTX "${UNINSTALL}" "DisplayIcon" "$INSTDIR\app\${PROGRAM}"
  WriteRegStr SHCTX "${UNINSTALL}" "InstallLocation" "$INSTDIR"
  WriteRegStr SHCTX "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr SHCTX "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD SHCTX "${UNINSTALL}" "EstimatedSize" ${KILOBYTES}
  WriteRegDWORD SHCTX "${UNINSTALL}" "NoModify" 1
  WriteRegDWORD SHCTX "${UNINSTALL}" "NoRepair" 1
  WriteRegDWORD SHCTX "${UNINSTALL}" "ForAllUsers" $ForAll
  System::Call 'shell32::SHChangeNotify(i 0x08000000, i 0, p 0, p 0)'  ; icons and associations have changed
SectionEnd

Section "-WebView2" SecWebView
  ReadRegStr $0 HKCU "Software\${WEBVIEW2}" "pv"
  ${If} $0 == ""
    ReadRegStr $0 HKLM "SOFTWARE\WOW6432Node\${WEBVIEW2}" "pv"
  ${EndIf}
  ${If} $0 == ""
    ReadRegStr $0 HKLM "SOFTWARE\${WEBVIEW2}" "pv"
  ${EndIf}
  ${If} $0 == ""
  ${OrIf} $0 == "0.0.0.0"
    !if /FileExists "${RUNTIME}"
      InitPluginsDir
      SetOutPath "$PLUGINSDIR"
      File "${RUNTIME}"
      DetailPrint "Installing Microsoft's WebView2 runtime"
      ExecWait '"$PLUGINSDIR\${RUNTIME}" /silent /install' $1
      SetOutPath "$INSTDIR"
      ${If} $1 != 0
        MessageBox MB_OK|MB_ICONEXCLAMATION "Microsoft's WebView2 runtime could not be installed (code $1). ${NAME} needs it for its window: install the Evergreen Standalone Installer of WebView2 from Microsoft." /SD IDOK
      ${EndIf}
    !else
      MessageBox MB_OK|MB_ICONEXCLAMATION "${NAME} needs Microsoft's WebView2 runtime for its window, and this computer has none. Install the Evergreen Standalone Installer of WebView2 from Microsoft." /SD IDOK
    !endif
  ${EndIf}
SectionEnd

Function un.onInit
  SetRegView 64
  StrCpy $ForAll 0
  ReadRegStr $0 HKLM "${UNINSTALL}" "InstallLocation"
  ${If} $0 == $INSTDIR
    StrCpy $ForAll 1
    UserInfo::GetAccountType
    Pop $2
    ${If} $2 != "admin"
      !insertmacro REFUSE ${NOT_ALLOWED} "Only an administrator can remove ${NAME} for all users: start this from an elevated prompt."
    ${EndIf}
  ${EndIf}
  !insertmacro CONTEXT
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/PURGE" $1
  ${IfNot} ${Errors}
    SectionSetFlags 1 1  ; the second section of the uninstaller
  ${EndIf}
FunctionEnd

Section "un.Program" SecUnProgram
  SectionIn RO
  !insertmacro OURS
  ${If} $R0 == 1
    !insertmacro REMOVE_OLD
    ClearErrors
    Rename "$INSTDIR\app" "$INSTDIR\${OLD}"
    ${If} ${Errors}
      !insertmacro REFUSE ${IN_USE} "${NAME} is running: close it and try again."
    ${EndIf}
  ${EndIf}
  !insertmacro REMOVE_OLD
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"  ; not /r: what else lies there is not ours
  Delete "$SMPROGRAMS\${NAME}.lnk"
  ReadRegStr $0 SHCTX "Software\Classes\${SUFFIX}" ""
  ${If} $0 == "${PROGID}"
    DeleteRegValue SHCTX "Software\Classes\${SUFFIX}" ""
    DeleteRegValue SHCTX "Software\Classes\${SUFFIX}" "Content Type"
  ${EndIf}
  DeleteRegValue SHCTX "Software\Classes\${SUFFIX}\OpenWithProgids" "${PROGID}"
  DeleteRegKey /ifempty SHCTX "Software\Classes\${SUFFIX}\OpenWithProgids"
  DeleteRegKey /ifempty SHCTX "Software\Classes\${SUFFIX}"
  DeleteRegKey SHCTX "Software\Classes\${PROGID}"
  DeleteRegKey SHCTX "${UNINSTALL}"
  DeleteRegKey HKCU "${NOTICES}"
  System::Call 'shell32::SHChangeNotify(i 0x08000000, i 0, p 0, p 0)'
SectionEnd

Section /o "un.Sessions, settings and logs of this user" SecUnData
  SetShellVarContext current
  RMDir /r "$LOCALAPPDATA\${NAME}"
SectionEnd
