# Run by an installation, with TOKENSYNC_BINDIR and TOKENSYNC_SYSTEMD: writes the units, which name the program where
# this installation puts it. Service and control socket are one text each, for the one repository of most machines
# (tokensyncd.service) and for one of several (tokensyncd@NAME.service), whose folders are called by its name.
get_filename_component(TOKENSYNC_PROGRAM "${CMAKE_INSTALL_PREFIX}/${TOKENSYNC_BINDIR}/tokensyncd" ABSOLUTE)
# systemd looks below lib, whatever the libraries' folder is called, of /usr and of /usr/local.
set(unit_folder "${CMAKE_INSTALL_PREFIX}/lib/systemd/system")
foreach(kind service socket)
  foreach(name tokensyncd tokensyncd@)
    set(UNIT_TITLE "")
    set(UNIT_FOLDER "")
    if(name MATCHES "@$")
      set(UNIT_TITLE " (%i)")
      set(UNIT_FOLDER "/%i")
    endif()
    message(STATUS "Installing: $ENV{DESTDIR}${unit_folder}/${name}.${kind}")
    configure_file("${TOKENSYNC_SYSTEMD}/tokensyncd.${kind}.in" "$ENV{DESTDIR}${unit_folder}/${name}.${kind}" @ONLY
      FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
    list(APPEND CMAKE_INSTALL_MANIFEST_FILES "${unit_folder}/${name}.${kind}")
  endforeach()
endforeach()
