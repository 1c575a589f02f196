// SPDX-License-Identifier: Apache-2.0
// A client with a body of very many small chunks shares the thread with everybody else.
//
// What was wrong: chunks that had arrived together were read without a word to the others; beside a client
// with one-byte chunks a polite request waited for half a second.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <string>

namespace {

TEST(ChunkFairness, AHandlerThatReadsSmallChunksLetsOthersRun) {
  stranger::in_fiber([] {
    int reads = 0;
    int reads_when_the_other_ran = -1;
    weft::http::Server server;
    server.post("/", [&](const weft::http::Request& request, weft::http::Response& response) {
      auto other = weft::spawn([&] { reads_when_the_other_ran = reads; });
      std::array<std::byte, 100> part;
      while (request.read_some(part)) ++reads;
      other.join_uncancellable();
      response.body("read", "text/plain");
    });
    const auto address = server.start("127.0.0.1:0").value();
    std::string request =
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 2000; ++i) request += "1\r\nx\r\n";
    request += "0\r\n\r\n";
    auto stream = weft::net::TcpStream::connect(address).value();
    EXPECT_TRUE(stream.write_all(request));
    std::array<std::byte, 1000> reply;
    while (stream.read_some(reply)) continue;
    EXPECT_EQ(reads, 2000);
    EXPECT_GE(reads_when_the_other_ran, 0);
    EXPECT_LE(reads_when_the_other_ran, 64);
    server.stop();
    EXPECT_TRUE(server.wait());
  });
}

}  // namespace
