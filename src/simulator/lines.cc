#include "simulator/lines.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/core.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <vector>

namespace hive::simulator {
namespace {

struct CloseArchive {
  void operator()(archive* handle) const { archive_read_free(handle); }
};
using Reader = std::unique_ptr<archive, CloseArchive>;

Result<Reader> open_stream(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    return fail(Errc::kNotFound, fmt::format("{}: there is no such file", path));
  if (!std::filesystem::is_regular_file(path, ignored) && !std::filesystem::is_fifo(path, ignored))
    return fail(Errc::kInvalidArgument, fmt::format("{} is not a file", path));
  Reader reader(archive_read_new());
  archive_read_support_filter_all(reader.get());
  archive_read_support_format_raw(reader.get());
  archive_read_support_format_empty(reader.get());
  archive_entry* entry = nullptr;
  if (archive_read_open_filename(reader.get(), path.c_str(), 256U << 10) != ARCHIVE_OK)
    return fail(archive_errno(reader.get()) == EACCES ? Errc::kPermissionDenied : Errc::kCorrupt,
                fmt::format("{}: {}", path, archive_error_string(reader.get())));
  const int header = archive_read_next_header(reader.get(), &entry);
  if (header != ARCHIVE_OK && header != ARCHIVE_EOF)
    return fail(Errc::kCorrupt, fmt::format("{}: {}", path, archive_error_string(reader.get())));
  if (header == ARCHIVE_EOF) reader.reset();  // an empty file
  return reader;
}

// Cuts what comes in pieces into lines.
class Splitter {
 public:
  using Visit = std::function<Status(std::string_view, std::uint64_t)>;
  explicit Splitter(const Visit& visit) : visit_(visit) {}

  Status take(std::string_view piece) {
    while (!piece.empty()) {
      const auto end = piece.find('\n');
      const auto part = piece.substr(0, end);
      if (end == std::string_view::npos) {
        keep(part);
        return {};
      }
      piece.remove_prefix(end + 1);
      if (rest_.empty()) {
        HIVE_TRY(line(part.substr(0, kMaxLineBytes)));
      } else {
        keep(part);
        HIVE_TRY(finish());
      }
    }
    return {};
  }
  Status finish() {
    if (rest_.empty()) return {};
    Status done = line(rest_);
    rest_.clear();
    return done;
  }

 private:
  void keep(std::string_view part) {
    rest_ += part.substr(0, kMaxLineBytes - std::min(kMaxLineBytes, rest_.size()));
  }
  Status line(std::string_view text) {
    if (text.ends_with('\r')) text.remove_suffix(1);
    return visit_(text, ++number_);
  }

  const Visit& visit_;
  std::string rest_;
  std::uint64_t number_ = 0;
};

}  // namespace

Status each_line(const std::string& path,
                 const std::function<Status(std::string_view, std::uint64_t)>& visit) {
  HIVE_ASSIGN(const auto reader, open_stream(path));
  if (!reader) return {};
  Splitter splitter(visit);
  std::vector<char> block(256U << 10);
  while (true) {
    const auto got = archive_read_data(reader.get(), block.data(), block.size());
    if (got < 0)
      return fail(Errc::kCorrupt, fmt::format("{}: {}", path, archive_error_string(reader.get())));
    if (got == 0) return splitter.finish();
    HIVE_TRY(splitter.take(std::string_view(block.data(), static_cast<std::size_t>(got))));
  }
}

}  // namespace hive::simulator
