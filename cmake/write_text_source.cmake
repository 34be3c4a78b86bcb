# Writes OUT: a C++ file that defines presil::NAME as the text of FILES. One raw string a file, since
# C++ guarantees 65536 characters for a literal.
set(parts "")
foreach(file IN LISTS FILES)
  file(READ ${file} text)
  string(FIND "${text}" ")presil\"" clash)
  if(NOT clash EQUAL -1)
    message(FATAL_ERROR "${file} contains the end mark of the raw string")
  endif()
  string(APPEND parts "    R\"presil(${text})presil\"\n")
endforeach()
file(WRITE ${OUT} "#include <string_view>\n\nnamespace presil {\n"
  "extern const std::string_view ${NAME};\n"
  "const std::string_view ${NAME} =\n${parts}    \"\";\n}  // namespace presil\n")
