# Our number formats against PyPI's ml_dtypes; skipped where that cannot be had.
if(PRESIL_TESTS)
  add_executable(convert_numbers test/oracle/convert.cpp)
  target_link_libraries(convert_numbers presil_values)
  set_target_properties(convert_numbers PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
  presil_script_test(Oracle.NumbersAreThoseOfMlDtypes oracle
    bash test/oracle/run.sh number_formats.py $<TARGET_FILE:convert_numbers>)
endif()
