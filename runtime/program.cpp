#include "runtime/program.h"

namespace ernn {

std::vector<int> tile_sizes(int groups, int most) {
  std::vector<int> sizes;
  while (groups >= most) {
    sizes.push_back(most);
    groups -= most;
  }
  for (const int smaller : {4, 2, 1}) {
    if (smaller >= most || groups < smaller) continue;
    sizes.push_back(smaller);
    groups -= smaller;
  }
  return sizes;
}

ElementFunction element_function(Activation activation) {
  switch (activation) {
    case Activation::relu:
      return ElementFunction::relu;
    case Activation::sigmoid:
      return ElementFunction::sigmoid;
    case Activation::tanh:
      return ElementFunction::tanh;
    case Activation::none:
      break;
  }
  return ElementFunction::none;
}

}  // namespace ernn
