# Run by cpack over what it has installed: the rest of what makes that a Debian package.
set(debian ${CMAKE_CURRENT_LIST_DIR})
set(root ${CPACK_TEMPORARY_DIRECTORY})
set(documents ${root}/usr/share/doc/tokensyncd)
set(plain FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)

file(COPY ${debian}/tokensyncd.yaml DESTINATION ${root}/etc/tokensyncd ${plain})
file(COPY ${debian}/lintian-overrides DESTINATION ${root}/usr/share/lintian/overrides ${plain})
file(RENAME ${root}/usr/share/lintian/overrides/lintian-overrides ${root}/usr/share/lintian/overrides/tokensyncd)
file(COPY ${debian}/copyright ${debian}/changelog DESTINATION ${documents} ${plain})
file(RENAME ${documents}/changelog ${documents}/changelog.Debian)
file(REMOVE ${documents}/LICENSE)
# Where Debian's zsh looks.
file(RENAME ${root}/usr/share/zsh/site-functions ${root}/usr/share/zsh/vendor-completions)

file(GLOB compressed ${root}/usr/share/man/man*/* ${documents}/changelog.Debian)
execute_process(COMMAND gzip -9n ${compressed} COMMAND_ERROR_IS_FATAL ANY)

# Whatever the umask of whoever packs.
execute_process(COMMAND find ${root} -type d -exec chmod 0755 {} + COMMAND_ERROR_IS_FATAL ANY)
