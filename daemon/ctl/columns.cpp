// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/columns.h"

#include <algorithm>
#include <utility>

namespace xdpflowd {
namespace {

constexpr size_t gap = 2;
constexpr size_t continuation_indent = 4;

}  // namespace

ColumnLayout::ColumnLayout(std::span<const Column> columns) {
  for (const Column& column : columns) cells_.push_back({column, column.header.size()});
}

void ColumnLayout::measure(const Row& row) {
  for (size_t i = 0; i < cells_.size(); ++i) cells_[i].width = std::max(cells_[i].width, row[i].size());
}

/// Of the whole group if the column starts one, else of the column.
size_t ColumnLayout::width_to_keep_together(size_t first) const {
  size_t width = cells_[first].width;
  if (!cells_[first].column.starts_group) return width;
  for (size_t i = first + 1; i < cells_.size() && !cells_[i].column.starts_group; ++i)
    width += gap + cells_[i].width;
  return width;
}

void ColumnLayout::break_lines(size_t width) {
  size_t used = 0;
  for (size_t i = 0; i < cells_.size(); ++i) {
    Cell& cell = cells_[i];
    cell.starts_line = width > 0 && used > 0 && used + gap + width_to_keep_together(i) > width;
    if (cell.starts_line)
      used = continuation_indent + cell.width;
    else
      used += (used > 0 ? gap : 0) + cell.width;
  }
}

void ColumnLayout::write_header(std::ostream& out) const {
  Row headers;
  for (const Cell& cell : cells_) headers.emplace_back(cell.column.header);
  write_row(out, headers);
}

void ColumnLayout::write_row(std::ostream& out, const Row& row) const {
  std::string line;
  size_t blanks = 0;  // owed before the next word, so that no line ends in blanks
  for (size_t i = 0; i < cells_.size(); ++i) {
    const Cell& cell = cells_[i];
    if (cell.starts_line) {
      line += '\n';
      blanks = continuation_indent;
    }
    const size_t padding = cell.width - std::min(cell.width, row[i].size());
    if (cell.column.align == Column::right) blanks += padding;
    if (!row[i].empty()) line.append(std::exchange(blanks, 0), ' ').append(row[i]);
    blanks += gap + (cell.column.align == Column::left ? padding : 0);
  }
  out << line << '\n';
}

}  // namespace xdpflowd
