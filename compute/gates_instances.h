// The instances of run_step(); included behind its definition.
#pragma once

#include "compute/gates.h"

namespace ernn::compute {

template void run_step(Place, const LstmForward<float>&, std::int64_t);
template void run_step(Place, const LstmForward<double>&, std::int64_t);
template void run_step(Place, const LstmBackward<float>&, std::int64_t);
template void run_step(Place, const LstmBackward<double>&, std::int64_t);
template void run_step(Place, const GruReset<float>&, std::int64_t);
template void run_step(Place, const GruReset<double>&, std::int64_t);
template void run_step(Place, const GruOutput<float>&, std::int64_t);
template void run_step(Place, const GruOutput<double>&, std::int64_t);
template void run_step(Place, const GruAfter<float>&, std::int64_t);
template void run_step(Place, const GruAfter<double>&, std::int64_t);
template void run_step(Place, const GruBackward<float>&, std::int64_t);
template void run_step(Place, const GruBackward<double>&, std::int64_t);
template void run_step(Place, const GruResetBackward<float>&, std::int64_t);
template void run_step(Place, const GruResetBackward<double>&, std::int64_t);

}  // namespace ernn::compute
