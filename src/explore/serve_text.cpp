// What a scenario's services come to, in sentences.
#include <algorithm>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "base/quantity_text.h"
#include "explore/fleet_run.h"
#include "explore/serve.h"

namespace presil {
namespace {

std::string time_text(double seconds) {
  return std::isnan(seconds) ? "nothing" : format_quantity(seconds, Dimension::seconds);
}

std::string price_text(const ServiceAnswer& s) {
  if (!s.price) return "it writes nothing";
  const Band& usd = s.price->usd_per_mtoken;
  return fmt::format("a million tokens cost {:.3g} USD ({:.3g} to {:.3g}) and {:.3g} MJ",
                     usd.typical, usd.low, usd.high, s.result.energy_j_per_token);
}

/// "; dram takes 71 % of the steps' time", of a service of one kind of replica.
std::string bound_text(const ServiceAnswer& s) {
  if (s.pools.size() != 1 || s.pools.front().table_error.samples == 0) return "";
  const auto shares = shares_of(s.pools.front().charges);
  const auto most =
      std::max_element(shares.begin(), shares.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  return fmt::format("; {} takes {:.0f} % of its steps' time", most->first, 100 * most->second);
}

/// The limits of `checks` that do not hold; of a class, with its name.
void add_broken(std::string& text, const std::vector<serving::SloCheck>& checks,
                const std::string& of) {
  for (const serving::SloCheck& c : checks) {
    if (c.met) continue;
    text += fmt::format("{}{}{} (it is {})", text.empty() ? "" : ", ", of, c.limit.text,
                        time_text(c.value_s));
  }
}

std::string kept_text(const ServiceAnswer& s) {
  std::string broken;
  add_broken(broken, s.result.slo, "");
  bool promised = !s.result.slo.empty();
  for (const serving::ClassResult& one : s.result.classes) {
    add_broken(broken, one.slo, one.name + "'s ");
    promised |= !one.slo.empty();
  }
  if (!promised) return "";
  return broken.empty() ? ", and the promise is kept" : ", and the promise is broken: " + broken;
}

/// Who got no answer; "" when all did.
std::string refused_text(const serving::Counts& counts) {
  if (counts.rejected() == 0) return "";
  std::string why;
  if (counts.too_long > 0) {
    why = fmt::format("{} longer than the context or the KV cache", counts.too_long);
  }
  if (counts.turned_away > 0) {
    why += fmt::format("{}{} turned away", why.empty() ? "" : ", ", counts.turned_away);
  }
  return fmt::format("{} of {} requests are refused ({})", counts.rejected(), counts.requests, why);
}

/// "every further one after 17 ms to 34 ms".
std::string further_tokens(const serving::Summary& tpot_s) {
  if (std::isnan(tpot_s.p50)) return "and no further one is asked for";
  return fmt::format("every further one after {} to {}", time_text(tpot_s.p50),
                     time_text(tpot_s.p99));
}

std::string service_sentence(const ServiceAnswer& s) {
  if (s.no) return fmt::format("{}: {}; what would do: {}.", s.name, s.no->reason, s.no->remedy);
  const serving::ServiceResult& r = s.result;
  if (s.max_rate) {
    return fmt::format(
        "{} keeps its promise up to {:.3g} requests a second ({:.3g} to {:.3g} as far as the "
        "times of steps are known){}: {:.0f} tokens/s; {}{}.",
        s.name, s.rate, s.if_slow.max_rate.value_or(0), s.if_fast.max_rate.value_or(0),
        s.max_rate->saturated ? " (more of them are only served later)" : "", r.output_throughput,
        price_text(s), bound_text(s));
  }
  const std::string refused = refused_text(r.counts);
  if (r.counts.completed == 0) {
    return fmt::format("{} answers nobody: {}.", s.name,
                       refused.empty() ? "no request is measured" : refused);
  }
  return fmt::format(
      "{} under {:.3g} requests a second: the first token comes after {} (half of the users) to {} "
      "(99 of 100 wait less; {} to {} as far as the times of steps are known), {}{}{}; {}{}.",
      s.name, s.rate, time_text(r.latency.ttft_s.p50), time_text(r.latency.ttft_s.p99),
      time_text(s.if_fast.latency.ttft_s.p99), time_text(s.if_slow.latency.ttft_s.p99),
      further_tokens(r.latency.tpot_s), kept_text(s), refused.empty() ? "" : "; " + refused,
      price_text(s), bound_text(s));
}

/// The cheapest against the next, where several services can do it.
std::string cheapest(const std::vector<ServiceAnswer>& services) {
  std::vector<const ServiceAnswer*> able;
  for (const ServiceAnswer& s : services) {
    if (!s.no && s.price) able.push_back(&s);
  }
  if (able.size() < 2) return "";
  std::stable_sort(able.begin(), able.end(), [](const ServiceAnswer* a, const ServiceAnswer* b) {
    return a->price->usd_per_mtoken.typical < b->price->usd_per_mtoken.typical;
  });
  const Band& first = able[0]->price->usd_per_mtoken;
  const Band& second = able[1]->price->usd_per_mtoken;
  const bool sure = first.high < second.low;
  return fmt::format("Cheapest is {}: {:.3g} USD a million tokens against {:.3g} of {}{}.",
                     able[0]->name, first.typical, second.typical, able[1]->name,
                     sure ? ", whatever the prices" : "; their price bands overlap");
}

}  // namespace

std::vector<std::string> sentences(const ServeAnswer& answer) {
  std::vector<std::string> all;
  const auto add = [&](std::vector<std::string> more) {
    all.insert(all.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
  };
  // What services are measured for comes first.
  add(sentences(answer.cost));
  if (answer.device) add(sentences(*answer.device));
  if (answer.fleet) add(sentences(*answer.fleet));
  if (answer.no_fleet) {
    all.push_back(fmt::format("The fleet: no: {}; what would do: {}.", answer.no_fleet->reason,
                              answer.no_fleet->remedy));
  }
  // A fleet's own prices say more than those of the short runs that its tables are held against.
  std::string best = answer.fleet ? "" : cheapest(answer.services);
  if (!best.empty()) all.push_back(std::move(best));
  for (const ServiceAnswer& s : answer.services) all.push_back(service_sentence(s));
  return all;
}

}  // namespace presil
