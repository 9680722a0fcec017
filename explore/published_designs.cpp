#include "explore/published_designs.h"

namespace ernn {

const std::vector<PublishedDesign>& published_designs() {
  static const char* const kRecalled = "recalled, not re-read";
  static const std::vector<PublishedDesign> designs = {
      {"ESE (FPGA 2017)", "LSTM 1024, pruned to about 1/10", "KU060, 200 MHz",
       "82.7 us for 32 vectors together", "387k frames/s (32 / 82.7 us, our division)", "41 W",
       "latency, power, clock: abstract and section 6.3"},
      {"C-LSTM (FPGA 2018)", "LSTM 1024, projection 512, k = 8", "KU060, 200 MHz", "15.4 us",
       "195,313 frames/s (three streams or more)", "", kRecalled},
      {"C-LSTM (FPGA 2018)", "LSTM 1024, projection 512, k = 16", "Virtex-7 690T, 200 MHz",
       "9.1 us", "330,275 frames/s (three streams or more)", "23 W", kRecalled},
      {"E-RNN (HPCA 2019)", "GRU 1024, k = 16", "Virtex-7 690T, 200 MHz", "",
       "464,582 frames/s (three streams or more)", "29 W", kRecalled},
      {"Spartus (TNNLS 2022)", "DeltaLSTM 1024, sparse", "Zynq-7100", "1 us", "", "",
       "abstract; one stream"},
      {"CSB-RNN (ICS 2020)", "ten models, pruned", "", "0.79 to 6.58 us", "", "", "abstract"},
      {"EdgeDRNN (AICAS 2020)", "GRU, two layers, weights in DRAM", "MiniZed", "about 500 us", "",
       "2.42 W at the wall", "abstract; one stream"},
  };
  return designs;
}

}  // namespace ernn
