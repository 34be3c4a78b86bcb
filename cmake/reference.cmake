# llama.cpp itself against its stored tokens, where node can be had. The first run installs it.
if(PRESIL_TESTS)
  presil_script_test(Reference.StoredTokensAreLlamaCpps oracle bash test/reference/run.sh)
  set_tests_properties(Reference.StoredTokensAreLlamaCpps PROPERTIES TIMEOUT 300)
endif()
