// The look of the report page.
#pragma once

namespace ernn {

/// CSS of the page; train/svg_plot.h adds that of the drawings.
const char* report_style();

}  // namespace ernn
