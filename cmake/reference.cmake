# llama.cpp itself against its stored tokens, where node can be had.
if(PRESIL_TESTS)
  presil_script_test(Reference.StoredTokensAreLlamaCpps oracle bash test/reference/run.sh)
endif()
