// A kernel library on one chip: all that the laws need to time a kernel.
#pragma once

#include <string>

#include "kernels/constants.h"
#include "kernels/law.h"
#include "kernels/machine.h"
#include "kernels/software.h"

namespace presil::kernels {

struct Library {
  Machine machine;
  Software software;
  ConstantTable constants;
  Residency residency = Residency::streaming;
  double launch_share = 1;  // of what starting a kernel costs: what fewer launches would leave
};

}  // namespace presil::kernels
