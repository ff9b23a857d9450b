// A `docker save` archive, read in place: nothing is unpacked to disk. The layout of docker's
// image store and the one of containerd's (OCI, docker 25 and newer) both have the manifest.json
// that is read here; either may be compressed as a whole. Source: docker's image/spec/v1.2.md.
//
// Blocking. An EntryReader is for one thread at a time.
// Errors: kNotFound (no such file), kInvalidArgument (no archive of docker save), kCorrupt.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

struct archive;

namespace hive::registry {

struct ArchivedImage {
  std::string config;                 // the JSON itself
  std::vector<std::string> layers;    // names of entries, lowest first
  std::vector<std::string> diff_ids;  // "sha256:..." of each layer as plain tar
};

// The archive's first image.
Result<ArchivedImage> read_archive(const std::filesystem::path& path);

// One entry's bytes. Links inside of the archive are followed.
class EntryReader {
 public:
  static Result<EntryReader> open(const std::filesystem::path& path, const std::string& entry);
  // Bytes put into the buffer; 0 at the end.
  Result<std::size_t> read(char* buffer, std::size_t size);

 private:
  struct Close {
    void operator()(archive* handle) const;
  };
  using Handle = std::unique_ptr<archive, Close>;
  static Result<EntryReader> open_plain(const std::filesystem::path& path, const std::string& entry,
                                        std::string& link);
  explicit EntryReader(Handle handle) : handle_(std::move(handle)) {}
  Handle handle_;
};

}  // namespace hive::registry
