// From a wafer to good dies: how many fit and how many work.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/units.h"
#include "chip/chip.h"
#include "chip/node.h"

namespace presil {

/// How the defect density varies from die to die: not at all (Poisson), as a triangle from 0 to
/// 2 D0 (Murphy), as a gamma distribution of shape alpha (negative binomial).
enum class YieldModel { poisson, murphy, negative_binomial };
std::string_view to_string(YieldModel model);

/// pi (d/2)^2 / A - pi d / sqrt(2 A): the wafer's area in dies, less those the edge cuts. Never
/// below 0.
double dies_per_wafer(SquareMillimetres area, Millimetres diameter);

/// Whole dies a wafer: square dies with a scribe line around each, inside the edge exclusion.
std::int64_t gross_dies(SquareMillimetres area, const ProcessNode& node);

/// The share of dies without any defect: exp(-A D), ((1 - exp(-A D)) / (A D))^2, or
/// (1 + A D / alpha)^-alpha. `defects` per cm2.
double perfect_yield(YieldModel model, SquareMillimetres area, double defects, double alpha);

/// The share of dies that can be sold: no defect outside the cores, and at least `die.enabled` of
/// `die.physical` cores without one. Cores are equal and take die.core_share of the area; at a
/// given density they fail independently, and the density varies as `model` says. Shared SRAM
/// counts as outside the cores although it has spare rows: a little pessimistic. Equals
/// perfect_yield when every core is sold.
double sellable_yield(YieldModel model, const Die& die, double defects, double alpha);

}  // namespace presil
