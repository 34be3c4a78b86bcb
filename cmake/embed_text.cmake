# presil_embed_text(TARGET NAME FILES...): the contents of FILES, one after the other, as the
# std::string_view presil::NAME in TARGET. Remade when a file changes.
function(presil_embed_text target name)
  set(source ${CMAKE_BINARY_DIR}/embedded/${name}.cpp)
  add_custom_command(OUTPUT ${source}
    COMMAND ${CMAKE_COMMAND} -DNAME=${name} -DOUT=${source} "-DFILES=${ARGN}"
            -P ${CMAKE_SOURCE_DIR}/cmake/write_text_source.cmake
    DEPENDS ${ARGN} ${CMAKE_SOURCE_DIR}/cmake/write_text_source.cmake
    VERBATIM)
  target_sources(${target} PRIVATE ${source})
endfunction()
