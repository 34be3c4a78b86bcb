// A law: pseudo-channels share their channel's command buses, so that two of them, each sent what
// one alone would be, give at most twice its bandwidth.
//
// Served in order and without refresh, to the last tick. A controller that takes what it can get at
// each tick knows Graham's anomaly: a request held up by the other pseudo-channel may leave a
// better order behind it. That is worth a little here and there.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "chip/library.h"
#include "dram/address_map.h"
#include "dram/event/channel.h"
#include "dram/testing/golden_stream.h"

namespace presil::dram {
namespace {

using testing::Atom;
using testing::GoldenStream;

/// Until each of so many pseudo-channels has served `atoms` atoms of a stream like `stream`.
Tick ticks_of(MemoryPart part, std::int64_t pseudo_channels, const Policy& policy,
              const GoldenStream& stream, std::int64_t atoms) {
  part.pseudo_channels = pseudo_channels;
  const AddressMap map(part.mapping, part);
  Channel channel(part, part.rate, policy);
  struct Sender {
    GoldenStream stream;
    Atom next;
    std::int64_t left;
  };
  std::vector<Sender> senders;
  for (std::int64_t pc = 0; pc < pseudo_channels; ++pc) {
    senders.push_back({stream, {}, atoms});
    senders.back().next = senders.back().stream();
  }
  Tick end = 0;
  for (std::int64_t served = 0; served < atoms * pseudo_channels;) {
    for (int pc = 0; pc < channel.pseudo_channels(); ++pc) {
      Sender& sender = senders[static_cast<std::size_t>(pc)];
      if (sender.left == 0 || !channel.has_room(pc, sender.next.write)) continue;
      channel.accept(pc, map.locate(sender.next.index % map.atoms()), sender.next.write, 0);
      sender.next = sender.stream();
      --sender.left;
    }
    const Served done = channel.step();
    served += done.any;
    end = std::max(end, done.done);
  }
  return end;
}

struct Law {
  Policy policy;
  double slack = 0.03;  // as a share of the ticks
};

std::vector<Law> laws() {
  std::vector<Law> all(6);
  all[1].policy.refresh = Refresh::per_bank;
  all[2].policy.page = PagePolicy::closed;
  all[3].policy.page = PagePolicy::adaptive;
  all[4].policy.controller.scheduler = Scheduler::fcfs;
  all[5] = {all[4].policy, 0};
  all[5].policy.refresh = Refresh::off;
  return all;
}

TEST(PseudoChannels, TwoGiveAtMostTwiceOne) {
  for (const char* name : {"hbm3-6400", "hbm4-8000", "hbm2-2000", "lpddr5-6400", "gddr7-28000"}) {
    const MemoryPart part = load_part(name, {}, PRESIL_SOURCE_DIR);
    for (const Law& law : laws()) {
      for (const auto kind : {GoldenStream::sequential, GoldenStream::random, GoldenStream::stride,
                              GoldenStream::blocks}) {
        for (const std::int64_t writes_every : {0, 3}) {
          const GoldenStream stream = GoldenStream(kind, 1280).with_writes(writes_every);
          const Tick one = ticks_of(part, 1, law.policy, stream, 10'000);
          const Tick two = ticks_of(part, 2, law.policy, stream, 10'000);
          EXPECT_GE(static_cast<double>(two), static_cast<double>(one) * (1 - law.slack))
              << name << ", stream " << kind << ", a write every " << writes_every << ", pages "
              << static_cast<int>(law.policy.page) << ", refresh "
              << static_cast<int>(law.policy.refresh) << ", scheduler "
              << static_cast<int>(law.policy.controller.scheduler);
        }
      }
    }
  }
}

}  // namespace
}  // namespace presil::dram
