// Published designs to stand beside an estimate, each figure with how surely it is known.
#pragma once

#include <string>
#include <vector>

namespace ernn {

struct PublishedDesign {
  std::string work;
  std::string network;
  std::string device;
  std::string latency;     ///< of one stream or as the source defines it; "" when it does not say
  std::string throughput;  ///< frames a second; "" when it does not say
  std::string power;
  std::string how_known;  ///< where the figures were read, or that they were not
};

const std::vector<PublishedDesign>& published_designs();

}  // namespace ernn
