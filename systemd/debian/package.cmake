# The Debian package: `cpack` in the build folder of a Release build.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "tokensyncd developers <tokensyncd@example.com>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "make the tokens of Sequence collections follow a git repository")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Git is where a team says which tokens of its game or NFT collection should
exist, as YAML manifests. This daemon fetches the branch, and creates each
token that is declared and not there yet through the Sequence Metadata
service: never twice, and with a tamper-evident log of who caused it.
.
It runs as a systemd service, and makes a pass after each push. It starts
only when its configuration names a repository.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
# Beside the libraries, which are found out: what the maintainer scripts call, and the roots that https is trusted by.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "ca-certificates, systemd (>= 250)")
# Signatures of commits are checked by these.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "gpg, openssh-client")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS git)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${CMAKE_CURRENT_LIST_DIR}/conffiles
  ${CMAKE_CURRENT_LIST_DIR}/postinst
  ${CMAKE_CURRENT_LIST_DIR}/postrm
  ${CMAKE_CURRENT_LIST_DIR}/prerm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/staging.cmake)
include(CPack)
