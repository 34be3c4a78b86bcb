#include "serving/load/load.h"
#include <gtest/gtest.h>
TEST(A, B) {}
