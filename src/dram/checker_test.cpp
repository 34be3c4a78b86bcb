#include "dram/checker.h"
#include <gtest/gtest.h>
