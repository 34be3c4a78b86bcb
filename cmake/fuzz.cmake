# The libFuzzer targets of fuzz/: fuzz/run.sh builds them with the preset `fuzz` (clang) and runs
# each for a while, which is a test here.
option(PRESIL_FUZZ "Instrument for libFuzzer and offer the target fuzzers (needs clang)" OFF)

if(PRESIL_FUZZ)
  find_package(GTest REQUIRED)
  target_compile_options(presil_options INTERFACE
    -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(presil_options INTERFACE -fsanitize=address,undefined)
  file(GLOB targets CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/fuzz/*.cpp)
  foreach(source ${targets})
    cmake_path(GET source STEM name)
    add_executable(fuzz_${name} EXCLUDE_FROM_ALL ${source})
    target_link_libraries(fuzz_${name} presil_model presil_chip presil_serving)
    if(NOT name STREQUAL seeds)
      target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    endif()
    list(APPEND fuzzers fuzz_${name})
  endforeach()
  target_link_libraries(fuzz_seeds GTest::gtest)  # the writers of tests
  add_custom_target(fuzzers DEPENDS ${fuzzers})
elseif(PRESIL_TESTS)
  presil_script_test(Fuzz.NoTargetFindsAnything fuzz bash fuzz/run.sh)
  # It takes longest of all, so that it is started first.
  set_tests_properties(Fuzz.NoTargetFindsAnything PROPERTIES TIMEOUT 900 COST 1000)
endif()
