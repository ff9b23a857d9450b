// What tells one version of a file from another without reading it.
#pragma once

#include <filesystem>
#include <string>

namespace hive::os {

// Inode, size and time of the last change; of the file behind a link. Also a file that is not there
// has one, which says why.
std::string file_stamp(const std::filesystem::path& path);

}  // namespace hive::os
