// Filebeat's registry, read from outside while Filebeat writes it: how far each of its files has
// been acknowledged by the receiver.
//
// On disk (Beats' "memlog" store, version 1): meta.json; checkpoints "TXID.json", an array of
// objects with "_key", renamed into place; log.json, pairs of lines {"op":"set","id":N} and
// {"k":KEY,"v":VALUE} that came after, in ascending ids without a gap. After a checkpoint log.json
// is truncated. Reading takes the newest checkpoint, applies what follows it, and begins again when
// a newer checkpoint has appeared meanwhile.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "logs/container_root.h"

namespace hive::logs {

// What Filebeat knows of one file.
struct FilebeatEntry {
  std::string key;
  std::string source;            // the path as Filebeat sees it
  std::uint64_t offset = 0;      // acknowledged up to here
  std::optional<FileId> native;  // identity by inode and device
  std::string fingerprint;       // identity by SHA-256 of the first 1024 bytes, in hexadecimal
  std::string growing;           // hexadecimal of the whole file so far, while it is shorter
};

struct FilebeatRegistry {
  std::vector<FilebeatEntry> entries;
  // Some input identifies files by fingerprint.
  bool fingerprints() const;
};

// `directory` is the store ("…/registry/filebeat"), or the registry above it, below `root`.
// kNotFound: no registry there. kCorrupt: not such a registry, or a checkpoint that cannot be read.
// kUnavailable: it changed each time it was read; try again.
Result<FilebeatRegistry> read_filebeat_registry(const ContainerRoot& root,
                                                const std::string& directory);

// A file that Filebeat ships, as it is now.
struct ShippedFile {
  std::string path;  // as Filebeat's container sees it
  FileId id;
  std::uint64_t size = 0;
  int fd = -1;
};

struct AcknowledgedFile {
  std::uint64_t bytes = 0;  // acknowledged of this file
  std::string why;          // empty: all of it is; else why not, for people
  // Filebeat will never ship the rest by its own rules: a last line without a newline, or a file
  // too short for a fingerprint.
  bool never = false;
};
// Found by identity, then by path; what the registry says of another file of the same name or
// inode proves nothing.
AcknowledgedFile acknowledged(const FilebeatRegistry& registry, const ShippedFile& file);

}  // namespace hive::logs
