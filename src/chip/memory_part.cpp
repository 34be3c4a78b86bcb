#include "chip/memory_part.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/describe.h"

namespace presil {
namespace {

constexpr DramTimingField kTimings[] = {
    {"tRCDRD", &MemoryPart::tRCDRD, "ACT to RD of the same bank"},
    {"tRCDWR", &MemoryPart::tRCDWR, "ACT to WR of the same bank"},
    {"tRP", &MemoryPart::tRP, "PREpb to ACT of the same bank"},
    {"tRPab", &MemoryPart::tRPab, "PREab to any ACT"},
    {"tRAS", &MemoryPart::tRAS, "ACT to PRE of the same bank"},
    {"tRC", &MemoryPart::tRC, "ACT to ACT of the same bank"},
    {"tRRDS", &MemoryPart::tRRDS, "ACT to ACT of another bank group"},
    {"tRRDL", &MemoryPart::tRRDL, "ACT to ACT of the same bank group"},
    {"tFAW", &MemoryPart::tFAW, "window with at most four ACTs"},
    {"tCCDS", &MemoryPart::tCCDS, "RD to RD of another bank group"},
    {"tCCDL", &MemoryPart::tCCDL, "RD to RD of the same bank group"},
    {"tCCDLWR", &MemoryPart::tCCDLWR, "WR to WR of the same bank group; tCCDL when absent"},
    {"tCCDR", &MemoryPart::tCCDR, "RD to RD of another stack ID"},
    {"tRTP", &MemoryPart::tRTP, "RD to PRE of the same bank"},
    {"tWR", &MemoryPart::tWR, "end of written data to PRE of the same bank"},
    {"tWTRS", &MemoryPart::tWTRS, "end of written data to RD of another bank group"},
    {"tWTRL", &MemoryPart::tWTRL, "end of written data to RD of the same bank group"},
    {"tCL", &MemoryPart::tCL, "RD to its first data"},
    {"tCWL", &MemoryPart::tCWL, "WR to its first data"},
    {"tRTW", &MemoryPart::tRTW, "RD to WR"},
    {"tRFCab", &MemoryPart::tRFCab, "REFab to the next command"},
    {"tRFCpb", &MemoryPart::tRFCpb, "REFpb to the next command of the same bank"},
    {"tREFI", &MemoryPart::tREFI, "mean time from REFab to REFab"},
    {"tRREFD", &MemoryPart::tRREFD, "REFpb to REFpb, or to an ACT of another bank"},
    {"tPPD", &MemoryPart::tPPD, "PRE to PRE"},
};

DramTiming read_timing(Fields& fields, const DramTimingField& field) {
  if (!fields.describing()) {
    const Node* node = fields.raw(field.name, field.doc);
    if (node != nullptr && node->kind == Node::Kind::scalar) {
      return {fields.quantity<Picoseconds>(field.name, field.doc), 0};
    }
  }
  return fields.map(field.name, field.doc, [](Fields& inner) {
    DramTiming timing;
    timing.time = inner.quantity_or<Picoseconds>("time", "at any clock", Picoseconds(0));
    timing.min_cycles = inner.integer_or("cycles", "floor, in CK", 0, {0, 1e6});
    inner.require(timing.time.count() > 0 || timing.min_cycles > 0, "time",
                  "expected a time, a floor in cycles, or both");
    return timing;
  });
}

bool has_plausible_rate(const MemoryPart& part) {
  return part.rate.count() >= 1e8 && part.rate.count() <= 1e11;
}

void read_organisation(Fields& f, MemoryPart& part) {
  part.channels = f.integer("channels", "of one stack, package, device or DIMM", {1, 256});
  part.pseudo_channels = f.integer("pseudo_channels", "of one channel", {1, 4});
  part.stack_ids = f.integer("stack_ids", "ranks of one pseudo-channel", {1, 16});
  part.bank_groups = f.integer("bank_groups", "of one stack ID", {1, 16});
  part.banks = f.integer("banks", "of one bank group", {1, 64});
  part.rows = f.integer("rows", "of one bank", {1, 1 << 20});
  part.page = f.quantity<Bytes>("page", "one row of one bank");
  part.width = f.integer("width", "data pins of one pseudo-channel", {1, 1024});
  part.burst_length = f.integer("burst_length", "beats of one RD or WR", {1, 256});
  f.require(
      part.total_banks() <= 64, "banks",
      fmt::format("expected at most 64 banks a pseudo-channel, found {}", part.total_banks()));
  f.require(part.width * part.burst_length % 8 == 0, "burst_length",
            "width x burst_length is not a whole number of bytes");
  const std::int64_t atom = std::max<std::int64_t>(part.atom().count(), 1);
  f.require(part.page.count() % atom == 0 && part.page.count() <= 65536, "page",
            fmt::format("expected a multiple of the atom ({} B) of at most 64 KiB", atom));
}

void read_interface(Fields& f, MemoryPart& part) {
  part.rate = f.quantity<BitsPerSecond>("rate", "the fastest, a pin");
  part.bits_per_clock = f.number("bits_per_clock", "data beats of one pin in one CK", {1, 64});
  part.ticks_per_clock = f.integer(
      "ticks_per_clock", "command slots in one CK: 2 when row commands take half CKs", {1, 2});
  part.shared_command_bus =
      f.flag_or("shared_command_bus", "row and column commands share one bus", false);
  part.act_ticks = f.integer("act", "slots of one ACT", {1, 16});
  part.pre_ticks = f.integer("pre", "slots of one PRE", {1, 16});
  part.refresh_ticks = f.integer("refresh", "slots of one REF", {1, 16});
  part.column_ticks = f.integer("column", "slots of one RD or WR", {1, 16});
  f.require(has_plausible_rate(part), "rate", "expected a pin rate from 0.1 to 100 Gb/s");
  f.require(static_cast<double>(part.burst_clocks()) * part.bits_per_clock ==
                    static_cast<double>(part.burst_length) &&
                part.burst_clocks() >= 1,
            "bits_per_clock", "a burst is not a whole number of clock cycles");
}

void check_timing(Fields& f, const MemoryPart& part) {
  const auto n = [&](DramTiming MemoryPart::*t) { return part.clocks(part.*t, part.rate); };
  using P = MemoryPart;
  for (const DramTimingField& t : kTimings) {
    f.require(n(t.member) <= 1'000'000, t.name, "expected at most a million clock cycles");
  }
  f.require(
      n(&P::tRAS) >= n(&P::tRCDRD), "tRAS",
      fmt::format("expected at least tRCDRD ({} CK), found {} CK", n(&P::tRCDRD), n(&P::tRAS)));
  f.require(part.tRC.time >= part.tRAS.time + part.tRP.time &&
                part.tRC.min_cycles >= part.tRAS.min_cycles + part.tRP.min_cycles,
            "tRC", "expected at least tRAS + tRP");
  f.require(n(&P::tRPab) >= n(&P::tRP), "tRPab", "expected at least tRP");
  f.require(n(&P::tRRDL) >= n(&P::tRRDS), "tRRDL", "expected at least tRRDS");
  f.require(n(&P::tFAW) >= n(&P::tRRDS), "tFAW", "expected at least tRRDS");
  f.require(n(&P::tCCDS) >= part.burst_clocks(), "tCCDS",
            fmt::format("expected at least the {} CK of a burst", part.burst_clocks()));
  f.require(n(&P::tCCDL) >= n(&P::tCCDS), "tCCDL", "expected at least tCCDS");
  f.require(n(&P::tCCDLWR) >= n(&P::tCCDS), "tCCDLWR", "expected at least tCCDS");
  f.require(n(&P::tCCDR) >= n(&P::tCCDS), "tCCDR", "expected at least tCCDS");
  f.require(n(&P::tWTRL) >= n(&P::tWTRS), "tWTRL", "expected at least tWTRS");
  f.require(n(&P::tRFCab) >= n(&P::tRFCpb), "tRFCab", "expected at least tRFCpb");
  f.require(n(&P::tREFI) >= 2 * n(&P::tRFCab), "tREFI", "expected at least twice tRFCab");
  f.require(n(&P::tREFI) >= part.total_banks() * n(&P::tRREFD), "tREFI",
            "too short to refresh every bank tRREFD apart");
}

void read_timings(Fields& f, MemoryPart& part) {
  for (const DramTimingField& field : kTimings) {
    if (field.member == &MemoryPart::tRPab && !f.describing() && !f.has(field.name)) {
      part.tRPab = part.tRP;  // only LPDDR tells them apart
      continue;
    }
    if (field.member == &MemoryPart::tCCDLWR && !f.describing() && !f.has(field.name)) {
      part.tCCDLWR = part.tCCDL;  // only DDR5 tells them apart
      continue;
    }
    part.*field.member = read_timing(f, field);
  }
}

void read_energies(Fields& f, MemoryPart& part) {
  part.act_pre = f.band("act_pre", "one ACT and its PRE", Dimension::joules);
  part.read_bit = f.band("read_bit", "one bit read: core, I/O, PHY", Dimension::joules_per_bit);
  part.write_bit =
      f.band("write_bit", "one bit written: core, I/O, PHY", Dimension::joules_per_bit);
  part.refresh_all = f.band("refresh_all", "one REFab of one pseudo-channel", Dimension::joules);
  part.background = f.band("background", "of one pseudo-channel, always", Dimension::watts);
}

MemoryPart read_fields(Fields& f) {
  MemoryPart part;
  // Each block fills its own fields; the returned flag says that it was there.
  const auto block = [&](auto read) {
    return [&part, read](Fields& inner) {
      read(inner, part);
      return true;
    };
  };
  part.name = f.text("name", "as chip files name it");
  part.family = f.text("family", "hbm3e, lpddr5x, gddr6, ddr5, ...");
  const bool organised =
      f.map("organisation", "of one stack, package, device or DIMM", block(read_organisation));
  const bool clocked = f.map("interface", "pins, clock and command slots", block(read_interface));
  f.map("timing", "a time, or {time, cycles}: the larger of both", [&](Fields& inner) {
    read_timings(inner, part);
    if (organised && clocked && has_plausible_rate(part)) check_timing(inner, part);
    return true;
  });
  part.timing_estimated =
      f.flag_or("timing_estimated", "the core timings are nobody's published numbers", false);
  part.mapping = f.text("mapping", "address mapping, most significant field first");
  f.map("energy", "by command, each a value or {low, typical, high}", block(read_energies));
  return part;
}

}  // namespace

BytesPerSecond MemoryPart::stack_bandwidth(BitsPerSecond at) const {
  return BytesPerSecond(static_cast<double>(channels * pseudo_channels * width) * at.count() / 8);
}

std::span<const DramTimingField> dram_timing_fields() {
  return kTimings;
}

DramClock MemoryPart::tick_clock(BitsPerSecond at) const {
  return DramClock(Hertz(at.count() / bits_per_clock * static_cast<double>(ticks_per_clock)));
}

std::int64_t MemoryPart::clocks(const DramTiming& timing, BitsPerSecond at) const {
  const DramClock clock{Hertz(at.count() / bits_per_clock)};
  return std::max(clock.cycle_at(timing.time).count(), timing.min_cycles);
}

MemoryPart read_memory_part(const Node& root) {
  Sources sources;
  MemoryPart part = read_file(root, "memory", read_fields, &sources);
  part.sources = std::move(sources);
  return part;
}

Schema memory_part_schema() {
  return describe_file("memory", "a DRAM part", read_fields);
}

}  // namespace presil
