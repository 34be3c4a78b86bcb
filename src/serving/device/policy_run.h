// One policy's run: the event loop over device, radios and cloud. Time goes from event to event;
// between two of them every power is constant, which is what Body wants.
#pragma once

#include <optional>
#include <queue>
#include <vector>

#include "base/draws.h"
#include "serving/device/cloud.h"
#include "serving/device/job.h"
#include "serving/device/local_chip.h"
#include "serving/device/simulate.h"

namespace presil::serving {

/// What the chip did.
struct LocalTotals {
  std::array<double, kLocalWorks> work_s{}, work_j{};
  Nanoseconds busy, throttled;
};

/// Fills in what jobs, body and chip tell; counts of places and all of the cloud stay as they are.
void summarise(const DeviceSpec& spec, const std::vector<Job>& jobs, const Body& body,
               const LocalTotals& local, PolicyResult& result);

class PolicyRun {
 public:
  /// Requires parts as simulate_device() does, and jobs in order of arrival. Everything referred to
  /// outlives the run.
  PolicyRun(const DeviceSpec& spec, const DeviceParts& parts, const Policy& policy,
            std::vector<Job> jobs, std::uint64_t seed);
  /// Called once.
  PolicyResult go();

 private:
  struct Event {
    enum class Kind {
      arrival,        // of a job
      step_ended,     // of the device's chip
      message_ended,  // is off the air
      at_cloud,       // a message has arrived
      cloud_writes,   // the service has tokens of a job ready
      at_radio        // a message from the cloud can go on the air
    };
    Nanoseconds at;
    std::int64_t order = 0;  // events of one time go in the order they were made
    Kind kind = Kind::arrival;
    Message message;  // its job is the event's
    Direction direction = Direction::up;

    friend bool operator>(const Event& a, const Event& b) {
      return a.at != b.at ? a.at > b.at : a.order > b.order;
    }
  };

  // policy_run.cpp: events and arrivals
  void handle(const Event& event);
  void after(Nanoseconds time, Event::Kind kind, const Message& message,
             Direction direction = Direction::up);
  void arrive(std::int64_t id);
  Place choose(Job& j);
  void begin(std::int64_t id);
  void show(std::int64_t id, std::int64_t tokens);

  // device_side.cpp: work on the device's chip
  void run_on_device(const Burst& burst);
  void start_step();
  void step_ended();
  void burst_ended(std::int64_t id, const LocalStep& last);
  void judge(std::int64_t id);
  void draft(std::int64_t id);

  // cloud_side.cpp: the network and the service behind it
  void send_up(std::int64_t id, Message::Kind kind, std::int64_t tokens, Bytes bytes);
  void send_prompt(std::int64_t id);
  void send_down(std::int64_t id, Message::Kind kind, std::int64_t tokens, Bytes bytes);
  void put_on_air(Direction direction, const Message& message);
  void message_ended(Direction direction, const Message& message);
  void at_cloud(const Message& message);
  Nanoseconds cloud_wait(std::int64_t id) const;
  void read_in_cloud(std::int64_t id);
  void interpret_in_cloud(std::int64_t id);
  void check_draft(std::int64_t id, std::int64_t drafted);
  void cloud_writes(const Message& message);
  void arrived(const Message& message);
  void take(std::int64_t id, const CloudWork& work);
  void charge(std::int64_t prompt_tokens, std::int64_t output_tokens);

  Job& job(std::int64_t id) { return jobs_[static_cast<std::size_t>(id)]; }
  Draws draws(std::uint64_t stream, std::int64_t id) const {
    return Draws(seed_, stream, static_cast<std::uint64_t>(id));
  }
  Bytes streamed(std::int64_t tokens) const { return spec_.messages.per_token * tokens; }

  const DeviceSpec& spec_;
  const DeviceParts& parts_;
  const Policy& policy_;
  std::vector<Job> jobs_;
  std::uint64_t seed_;
  Body body_;
  LocalChip chip_;
  std::optional<Cloud> cloud_, cloud_local_;
  bool stepping_ = false;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::int64_t made_ = 0;
  LocalTotals totals_;
  PolicyResult result_;
};

}  // namespace presil::serving
