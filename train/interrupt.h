// Ctrl-C and `kill` end a long run in an orderly way.
#pragma once

namespace ernn {

/// The exit status of a program that was interrupted, as shells have it after Ctrl-C.
inline constexpr int kInterrupted = 130;

/// From construction on, the first SIGINT or SIGTERM only raises requested(); a second one kills.
/// The destructor restores what was there before. One at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  static bool requested();
};

}  // namespace ernn
