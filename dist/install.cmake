# SPDX-License-Identifier: GPL-2.0-or-later
# Runs at installation. CMake itself puts $DESTDIR in front of absolute destinations.
set(share "${CMAKE_INSTALL_PREFIX}/share")
set(SBINDIR "${CMAKE_INSTALL_PREFIX}/sbin")

function(put folder file)
  file(INSTALL "${file}" DESTINATION "${folder}" PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ ${ARGN})
endfunction()

# Fills in @VERSION@ and @SBINDIR@; sets `made_file`.
macro(fill template name)
  set(made_file "${made}/${name}")
  configure_file("${source}/${template}" "${made_file}" @ONLY)
endmacro()

# `file` gzipped, as Debian wants man pages and changelogs: without a time stamp.
function(put_gzipped folder file name)
  execute_process(COMMAND "${gzip}" -9nc "${file}" OUTPUT_FILE "${made}/${name}.gz" COMMAND_ERROR_IS_FATAL ANY)
  put("${folder}" "${made}/${name}.gz")
endfunction()

file(MAKE_DIRECTORY "${made}")
fill(dist/systemd/xdpflowd.service.in xdpflowd.service)
put("${CMAKE_INSTALL_PREFIX}/lib/systemd/system" "${made_file}")
foreach(page xdpflowd.8 xdpflowctl.8 xdpflowd.toml.5)
  fill(docs/man/${page}.in ${page})
  string(REGEX MATCH ".$" section ${page})
  put_gzipped("${share}/man/man${section}" "${made_file}" ${page})
endforeach()
put("${share}/bash-completion/completions" "${source}/dist/completions/xdpflowctl")
put("${share}/bash-completion/completions" "${source}/dist/completions/xdpflowd")
put("${share}/zsh/vendor-completions" "${source}/dist/completions/_xdpflowd")
foreach(example dist/systemd/hook-user.conf dist/systemd/single-program.conf dist/systemd/unload-on-stop.conf config/prometheus-rules.yml)
  put("${share}/doc/xdpflowd/examples" "${source}/${example}")
endforeach()

# What lies in /etc belongs to the machine's administrator; only the package manager knows how to keep changes.
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr" AND DEFINED ENV{DESTDIR})
  put(/etc/xdpflowd "${source}/config/xdpflowd.toml")
  put(/etc/logrotate.d "${source}/dist/logrotate" RENAME xdpflowd)
  string(TIMESTAMP DATE "%a, %d %b %Y %H:%M:%S +0000" UTC)
  fill(dist/debian/changelog.in changelog)
  put_gzipped("${share}/doc/xdpflowd" "${made_file}" changelog)
  put("${share}/doc/xdpflowd" "${source}/dist/debian/copyright")
else()
  put("${share}/doc/xdpflowd/examples" "${source}/config/xdpflowd.toml")
  put("${share}/doc/xdpflowd/examples" "${source}/dist/logrotate")
endif()
