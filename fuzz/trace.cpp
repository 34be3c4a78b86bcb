// Bytes as a trace of requests, plain or gzipped: read to its end, then replayed as a load.
#include "serving/load/trace.h"
#include "bad_input.h"
#include "serving/load/load.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using presil::fuzz::may_refuse;
  static presil::fuzz::MemoryFile file;
  static volatile std::int64_t seen;
  file.write(data, size);
  may_refuse(
      [&] { seen = summarize(presil::serving::Trace(file.path(), "input"), 1 << 20).requests; });
  may_refuse([&] {
    presil::serving::LoadSpec spec;
    spec.trace = file.path().string();
    spec.repeat = 3;
    spec.rate = presil::PerSecond(1);
    const auto source = presil::serving::open_load(spec, "", 1);
    presil::Nanoseconds last;
    while (const auto request = source->next()) {
      CHECK(request->arrival >= last, "requests come in order of arrival");
      last = request->arrival;
    }
  });
  return 0;
}
