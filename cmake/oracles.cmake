# Tests that ask independent implementations: llama.cpp and Python packages. Where those cannot be
# had (no network, another machine) they are skipped.
if(NOT PRESIL_TESTS)
  return()
endif()

# presil_oracle(NAME COMMAND...): a script test with time to install what it asks.
function(presil_oracle name)
  presil_script_test(${name} oracle ${ARGN})
  set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endfunction()

# What the Python scripts of test/oracle/ run of ours.
foreach(name blocks convert)
  add_executable(${name} test/oracle/${name}.cpp)
  target_link_libraries(${name} presil_values)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
endforeach()
set(python bash test/oracle/run.sh)

# Parts: numbers, blocks, files and tokens.
presil_oracle(Oracle.NumbersAreThoseOfMlDtypes
  ${python} number_formats.py $<TARGET_FILE:convert>)
presil_oracle(Oracle.BlocksAreThoseOfGguf ${python} blocks.py ${CMAKE_BINARY_DIR})
presil_oracle(Oracle.BlocksAreThoseOfGgml bash test/reference/blocks.sh $<TARGET_FILE:blocks>)
presil_oracle(Oracle.FilesAreReadAsTheirLibrariesDo ${python} weight_files.py ${CMAKE_BINARY_DIR})
presil_oracle(Oracle.StoredTokensAreThoseOfOtherTokenizers
  ${python} tokens.py ${CMAKE_BINARY_DIR}/oracle/tokens)
presil_oracle(Oracle.StoredTokensAreLlamaCpps bash test/reference/run.sh)

# The whole: logits and tokens of a model.
set(presil $<TARGET_FILE:presil>)
set(short ${CMAKE_SOURCE_DIR}/test/data/verify_prompts_short.json)
presil_oracle(Oracle.ValuesOfSmolLM2AreLlamaCpps bash test/reference/verify.sh ${presil}
  --weights shipped --prompts ${short} --tokens 16)
set_tests_properties(Oracle.ValuesOfSmolLM2AreLlamaCpps PROPERTIES RUN_SERIAL TRUE)
presil_oracle(Oracle.ValuesOfTinyFilesAreLlamaCpps bash test/reference/tiny.sh ${presil} ${short})
presil_oracle(Oracle.LogitsAreNumpys bash test/oracle/numpy.sh ${presil} ${short})
