// SPDX-License-Identifier: GPL-2.0-or-later
// Text in aligned columns.
#pragma once

#include <cstddef>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace xdpflowd {

struct Column {
  std::string_view header;
  enum { left, right } align = left;
  bool starts_group = false;  // lines are broken between groups rather than within one
};

using Row = std::vector<std::string>;

/// Learns the widths first, then writes. A row too wide for the terminal goes on, indented, on the next line,
/// and so does the header; columns stay aligned.
class ColumnLayout {
 public:
  explicit ColumnLayout(std::span<const Column> columns);

  void measure(const Row& row);

  /// After the last measure(). `width` of the terminal; 0: lines as long as it takes.
  void break_lines(size_t width);

  void write_header(std::ostream& out) const;
  void write_row(std::ostream& out, const Row& row) const;

 private:
  struct Cell {
    Column column;
    size_t width;
    bool starts_line = false;  // a continuation
  };
  size_t width_to_keep_together(size_t first) const;

  std::vector<Cell> cells_;
};

}  // namespace xdpflowd
