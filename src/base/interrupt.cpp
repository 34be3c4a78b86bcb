#include "base/interrupt.h"

#include <atomic>
#include <csignal>

#include "base/error.h"

namespace presil {

namespace {

volatile std::sig_atomic_t pressed = 0;
std::atomic<int> holders = 0;

void note(int) {
  pressed = 1;
}

}  // namespace

void catch_interrupts() {
  pressed = 0;
  struct sigaction action {};
  action.sa_handler = note;
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // the second one has its usual effect
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
}

bool interrupted() {
  return pressed != 0;
}

bool take_interrupt() {
  const bool taken = interrupted();
  if (taken) catch_interrupts();
  return taken;
}

HoldInterrupts::HoldInterrupts() {
  ++holders;
}

HoldInterrupts::~HoldInterrupts() {
  --holders;
}

void check_interrupt() {
  if (interrupted() && holders == 0) throw Interrupted();
}

}  // namespace presil
