# Our decoders of stored numbers against PyPI gguf and ml_dtypes.
if(PRESIL_TESTS)
  add_executable(dequantise test/oracle/dequantise.cpp)
  target_link_libraries(dequantise presil_values)
  set_target_properties(dequantise PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
  presil_script_test(Blocks.DecodeAsGgufDoes oracle bash test/oracle/run.sh blocks.py
    ${CMAKE_BINARY_DIR})
endif()
