#include <algorithm>

#include "dram/transfers/memory.h"

namespace presil::dram {

void accumulate(MemoryStatistics& sum, const MemoryStatistics& later) {
  const double before = static_cast<double>(sum.waiting.count());
  const double added = static_cast<double>(later.waiting.count());
  const auto weighted = [&](double& mine, double other) {
    if (before + added > 0) mine = (mine * before + other * added) / (before + added);
  };
  weighted(sum.shares.data, later.shares.data);
  weighted(sum.shares.refresh, later.shares.refresh);
  weighted(sum.shares.row, later.shares.row);
  weighted(sum.shares.turnaround, later.shares.turnaround);
  weighted(sum.shares.other, later.shares.other);
  sum.waiting += later.waiting;

  sum.commands.ACT += later.commands.ACT;
  sum.commands.PREpb += later.commands.PREpb;
  sum.commands.PREab += later.commands.PREab;
  sum.commands.RD += later.commands.RD;
  sum.commands.WR += later.commands.WR;
  sum.commands.REFab += later.commands.REFab;
  sum.commands.REFpb += later.commands.REFpb;
  sum.commands.RFM += later.commands.RFM;
  sum.atoms += later.atoms;
  sum.row_hits += later.row_hits;
  sum.row_misses += later.row_misses;
  sum.row_conflicts += later.row_conflicts;
  sum.rounded_transfers += later.rounded_transfers;
  sum.replayed_atoms += later.replayed_atoms;
  for (const std::string& name : later.shortcuts) {
    if (std::find(sum.shortcuts.begin(), sum.shortcuts.end(), name) == sum.shortcuts.end()) {
      sum.shortcuts.push_back(name);
    }
  }
}

}  // namespace presil::dram
