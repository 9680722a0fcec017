// What the testbench knows of a signal; the list is generated (signals.h).
#pragma once

namespace ernn::testbench {

struct SignalInfo {
  const char* name;  ///< "layers.0.input.spectrum"; golden/<name>.npy
  int length;        ///< elements a frame
  bool counted;      ///< it is narrowed, so it can saturate
};

}  // namespace ernn::testbench
