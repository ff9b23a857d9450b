#include "net/pem.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace hive::net {
namespace {

class Pem : public ::testing::Test {
 protected:
  std::string file(const std::string& content) {
    path_ = ::testing::TempDir() + "pem-" + std::to_string(::getpid());
    std::ofstream(path_) << content;
    return path_;
  }
  void TearDown() override { ::unlink(path_.c_str()); }
  std::string path_;
};

TEST_F(Pem, DropsSwarmsHeadersAndKeepsTheRest) {
  const auto key = read_private_key(
      file("-----BEGIN TEST-----\nkek-version: 0\nraft-dek: abc=\n\nMIGH\n-----END TEST-----\n"));
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(*key, "-----BEGIN TEST-----\nMIGH\n-----END TEST-----\n");
}

TEST_F(Pem, NamesAnEncryptedAndAMissingKey) {
  EXPECT_EQ(read_private_key(file("-----BEGIN ENCRYPTED TEST-----\nMIGH\n")).error().code,
            Errc::kUnsupported);
  EXPECT_EQ(read_private_key("/nowhere/key").error().code, Errc::kNotFound);
}

}  // namespace
}  // namespace hive::net
