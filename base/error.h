// The two ways a command can fail, and the exit status each one gives.
#pragma once

#include <stdexcept>
#include <string>

namespace ernn {

/// Base of every error that is reported to the user as one line: file, place, found, expected, what
/// to do.
class Error : public std::runtime_error {
 public:
  Error(const std::string& message, int exit_status)
      : std::runtime_error(message), exit_status_(exit_status) {}
  int exit_status() const { return exit_status_; }

 private:
  int exit_status_;
};

/// The command line or a configuration is wrong: exit status 2.
class UsageError : public Error {
 public:
  explicit UsageError(const std::string& message) : Error(message, 2) {}
};

/// A file, a number in it, or the machine (disk full) is wrong: exit status 1.
class DataError : public Error {
 public:
  explicit DataError(const std::string& message) : Error(message, 1) {}
};

}  // namespace ernn
