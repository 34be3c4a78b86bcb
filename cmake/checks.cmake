# Tests that are scripts: how the sources look, and how the launcher behaves. And unit_tests, the
# target that builds the stages' test programs only: what the sanitizers are run on.
if(NOT PRESIL_TESTS)
  return()
endif()

get_property(targets DIRECTORY ${CMAKE_SOURCE_DIR} PROPERTY BUILDSYSTEM_TARGETS)
list(FILTER targets INCLUDE REGEX "_tests$")
add_custom_target(unit_tests DEPENDS ${targets})

function(presil_script_test name label)
  add_test(NAME ${name} COMMAND ${ARGN} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES LABELS ${label} SKIP_RETURN_CODE 77 TIMEOUT 120)
endfunction()

# One test for each function test_NAME of a script, which takes NAME as its argument.
function(presil_script_suite suite script)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${script})
  file(STRINGS ${script} lines REGEX "^test_[A-Za-z0-9]+\\(\\)")
  foreach(line ${lines})
    string(REGEX REPLACE "^test_([A-Za-z0-9]+).*" "\\1" name "${line}")
    presil_script_test(${suite}.${name} cli bash ${script} ${name})
  endforeach()
endfunction()

presil_script_test(Sources.AreFormatted check tools/check_format)
presil_script_test(Sources.IncludeOnlyWhatArchitectureAllows check tools/check_includes)
presil_script_suite(CheckIncludes test/launcher/check_includes_test.sh)
presil_script_suite(Launcher test/launcher/launcher_test.sh)
presil_script_suite(Model test/launcher/model_test.sh)
presil_script_suite(Doctor test/launcher/doctor_test.sh)
presil_script_suite(Charts test/launcher/charts_test.sh)
presil_script_test(Embed.AStrangersProgramFindsAndUsesTheMemory embed
  bash test/embed/find_package.sh ${CMAKE_BINARY_DIR})
# Errors by regime on a fixed sample, against those kept (docs/silicon.md).
presil_script_test(Accuracy.NoRegimeGotWorse accuracy $<TARGET_FILE:presil> verify silicon
  --sample 6000 --expect test/data/accuracy.csv)
