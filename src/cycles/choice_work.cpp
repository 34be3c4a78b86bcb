#include "chip/vector_flops.h"
#include "cycles/operator_work.h"

namespace presil {

void count_top_k(KernelMeter& meter) {
  // A softmax or a sigmoid of the scores, then a pass for each expert that is chosen.
  count_rows(meter, kSoftmaxFlops + meter.kernel().routing.per_token, 1);
}

void count_combine(KernelMeter& meter) {
  count_rows(meter, kCombineFlops * meter.kernel().routing.per_token);
}

void count_sample(KernelMeter& meter) {
  count_rows(meter, kSoftmaxFlops + kCutFlops, 1);
}

}  // namespace presil
