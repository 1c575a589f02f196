// SPDX-License-Identifier: Apache-2.0
#pragma once

// Test support: request streams and what has to come of them. Tables, so that the refusals, the
// split-invariance property and the fuzzer's seeds all use the same cases.

#include <string>
#include <string_view>
#include <vector>

namespace weft::http::protocol {

struct CorpusCase {
  std::string_view what;
  std::string bytes;
  int status;  ///< refused with; 0: accepted
};

#define WEFT_HOST "Host: a\r\n"
#define WEFT_GET(lines) "GET / HTTP/1.1\r\n" WEFT_HOST lines "\r\n"
#define WEFT_POST(lines) "POST / HTTP/1.1\r\n" WEFT_HOST lines "\r\n"
#define WEFT_CHUNKED(body) WEFT_POST("Transfer-Encoding: chunked\r\n") body
#define WEFT_BYTES(literal) std::string(literal, sizeof(literal) - 1)  // keeps NULs

/// Requests that are served.
inline std::vector<CorpusCase> accepted_requests() {
  return {
      {"a minimal request", WEFT_GET(""), 0},
      {"wrk's request", "GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n", 0},
      {"HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", 0},
      {"an empty line before the request", "\r\n" WEFT_GET(""), 0},
      {"HTTP/1.2", "GET / HTTP/1.2\r\n" WEFT_HOST "\r\n", 0},
      {"HTTP/1.9 with a chunked body",
       "POST / HTTP/1.9\r\n" WEFT_HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", 0},
      {"an empty expectation", WEFT_GET("Expect:\r\n"), 0},
      {"a tab behind chunked", WEFT_POST("Transfer-Encoding: chunked\t\r\n") "1\r\nx\r\n0\r\n\r\n", 0},
      {"tabs around chunked behind an empty line",
       "\r\n" WEFT_POST("A: b\tc\r\ntransfer-encoding:\tchunked \t \r\n") "1\r\nx\r\n0\r\n\r\n", 0},
      {"the highest port of a Host", "GET / HTTP/1.1\r\nHost: a:65535\r\n\r\n", 0},
      {"a percent-encoded Host", "GET / HTTP/1.1\r\nHost: a%c3%a4\r\n\r\n", 0},
      {"a Host with an encoded zone", "GET / HTTP/1.1\r\nHost: [fe80::1%25eth0]:80\r\n\r\n", 0},
      {"a percent-encoded path", "GET /%c3%A4%25/b HTTP/1.1\r\n" WEFT_HOST "\r\n", 0},
      {"a percent sign alone in the query", "GET /a?b=%zz HTTP/1.1\r\n" WEFT_HOST "\r\n", 0},
      {"an empty header value", WEFT_GET("X:\r\nY: \t \r\n"), 0},
      {"white space around a value", WEFT_GET("X: \t a b \t\r\n"), 0},
      {"no white space before a value", WEFT_GET("X:a\r\n"), 0},
      {"bytes above 127 in a value", WEFT_GET("X: \xc3\xa4\r\n"), 0},
      {"an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 0},
      {"a Host with an IPv6 literal", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", 0},
      {"a query", "GET /a?b=c&d=%20 HTTP/1.1\r\n" WEFT_HOST "\r\n", 0},
      {"an absolute target", "GET http://example.org:81/x?y HTTP/1.1\r\n" WEFT_HOST "\r\n", 0},
      {"an absolute target without a path", "GET http://example.org HTTP/1.1\r\n" WEFT_HOST "\r\n", 0},
      {"OPTIONS *", "OPTIONS * HTTP/1.1\r\n" WEFT_HOST "\r\n", 0},
      {"every case of known names", "POST / HTTP/1.1\r\nhOST: a\r\nCONTENT-length: 3\r\n\r\nabc", 0},
      {"a fixed body", WEFT_POST("Content-Length: 5\r\n") "hello", 0},
      {"a zero length", WEFT_POST("Content-Length: 0\r\n"), 0},
      {"leading zeros in a length", WEFT_POST("Content-Length: 005\r\n") "hello", 0},
      {"a chunked body", WEFT_CHUNKED("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"), 0},
      {"chunked in capitals", WEFT_POST("Transfer-Encoding: CHUNKED\r\n") "A\r\n0123456789\r\n0\r\n\r\n", 0},
      {"an empty chunked body", WEFT_CHUNKED("0\r\n\r\n"), 0},
      {"a chunk extension", WEFT_CHUNKED("1;a=b\r\nx\r\n0\r\n\r\n"), 0},
      {"trailers", WEFT_CHUNKED("1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\n"), 0},
      {"a length in the trailers", WEFT_CHUNKED("0\r\nContent-Length: 40\r\n\r\n") WEFT_GET(""), 0},
      {"Expect with a body", WEFT_POST("Expect: 100-continue\r\nContent-Length: 1\r\n") "x", 0},
      {"Expect without a body", WEFT_GET("Expect: 100-Continue\r\n"), 0},
      {"an upgrade that is ignored", WEFT_GET("Connection: Upgrade\r\nUpgrade: websocket\r\n") WEFT_GET(""),
       0},
      {"an upgrade with a body",
       WEFT_POST("Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n") "ab" WEFT_GET(""), 0},
      {"an upgrade with a chunked body",
       WEFT_POST("Connection: upgrade\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\n") "1\r\na\r\n0\r\n\r"
                                                                                          "\n" WEFT_GET(""),
       0},
      {"two requests at once", WEFT_GET("") "GET /2 HTTP/1.1\r\n" WEFT_HOST "\r\n", 0},
      {"bodies and requests at once",
       WEFT_POST("Content-Length: 3\r\n") "abc" WEFT_CHUNKED("2\r\nde\r\n0\r\n\r\n") WEFT_GET("A: b\r\n"), 0},
      {"a body that looks like a request", WEFT_POST("Content-Length: 27\r\n") WEFT_GET("") "" WEFT_GET(""),
       0},
      {"Connection: close ends the stream", WEFT_GET("Connection: close\r\n") "\x01\x02", 0},
      {"HTTP/1.0 kept alive", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n" WEFT_GET(""), 0},
      {"a list of connection options", WEFT_GET("Connection: te, keep-alive ,foo\r\n") WEFT_GET(""), 0},
      {"a method of WebDAV", "PROPFIND / HTTP/1.1\r\n" WEFT_HOST "\r\n", 0},
  };
}

/// Bad request lines.
inline std::vector<CorpusCase> refused_request_lines() {
  return {
      {"an unknown method", "FOO / HTTP/1.1\r\n" WEFT_HOST "\r\n", 501},
      {"a lower-case method", "get / HTTP/1.1\r\n" WEFT_HOST "\r\n", 501},
      {"a method with a known front", "GETX / HTTP/1.1\r\n" WEFT_HOST "\r\n", 501},
      {"CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 501},
      {"a TLS hello", WEFT_BYTES("\x16\x03\x01\x00\xa5"), 400},
      {"white space before the method", " GET / HTTP/1.1\r\n" WEFT_HOST "\r\n", 400},
      {"a bare LF before the request", "\nGET / HTTP/1.1\r\n" WEFT_HOST "\r\n", 400},
      {"a bare CR before the request", "\rGET / HTTP/1.1\r\n" WEFT_HOST "\r\n", 400},
      {"two spaces before the target", "GET  / HTTP/1.1\r\n" WEFT_HOST "\r\n", 400},
      {"two spaces after the target", "GET /  HTTP/1.1\r\n" WEFT_HOST "\r\n", 400},
      {"a tab after the method", "GET\t/ HTTP/1.1\r\n" WEFT_HOST "\r\n", 400},
      {"a tab in the target", "GET /a\tb HTTP/1.1\r\n" WEFT_HOST "\r\n", 400},
      {"a NUL in the target", WEFT_BYTES("GET /a\0b HTTP/1.1\r\n" WEFT_HOST "\r\n"), 400},
      {"a byte above 127 in the target", "GET /\x80 HTTP/1.1\r\n" WEFT_HOST "\r\n", 400},
      {"a fragment", "GET /a#b HTTP/1.1\r\n" WEFT_HOST "\r\n", 400},
      {"a target without a slash", "GET a HTTP/1.1\r\n" WEFT_HOST "\r\n", 400},
      {"an asterisk for GET", "GET * HTTP/1.1\r\n" WEFT_HOST "\r\n", 400},
      {"an asterisk and more", "OPTIONS *a HTTP/1.1\r\n" WEFT_HOST "\r\n", 400},
      {"an absolute target of another scheme", "GET ftp://a/ HTTP/1.1\r\n" WEFT_HOST "\r\n", 400},
      {"an absolute target without a host", "GET http:///a HTTP/1.1\r\n" WEFT_HOST "\r\n", 400},
      {"an absolute target with a user", "GET http://u@a/ HTTP/1.1\r\n" WEFT_HOST "\r\n", 400},
      {"no version", "GET /\r\n" WEFT_HOST "\r\n", 400},
      {"HTTP/0.9", "GET / HTTP/0.9\r\n" WEFT_HOST "\r\n", 505},
      {"HTTP/2.0", "GET / HTTP/2.0\r\n" WEFT_HOST "\r\n", 505},
      {"HTTP/3.0", "GET / HTTP/3.0\r\n" WEFT_HOST "\r\n", 505},
      {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"a version of two digits", "GET / HTTP/1.10\r\n" WEFT_HOST "\r\n", 400},
      {"a version in lower case", "GET / http/1.1\r\n" WEFT_HOST "\r\n", 400},
      {"white space after the version", "GET / HTTP/1.1 \r\n" WEFT_HOST "\r\n", 400},
      {"RTSP", "OPTIONS rtsp://a/ RTSP/1.0\r\n\r\n", 400},
      {"RTSP with a plain target", "GET / RTSP/1.0\r\n" WEFT_HOST "\r\n", 400},
      {"a method of RTSP", "DESCRIBE / HTTP/1.1\r\n" WEFT_HOST "\r\n", 501},
      {"ICE", "SOURCE / ICE/1.0\r\n" WEFT_HOST "\r\n", 400},
      {"a bare LF after the request line", "GET / HTTP/1.1\n" WEFT_HOST "\r\n", 400},
      {"a bare CR after the request line", "GET / HTTP/1.1\r" WEFT_HOST "\r\n", 400},
  };
}

/// Bad header lines.
inline std::vector<CorpusCase> refused_headers() {
  return {
      {"no Host", "GET / HTTP/1.1\r\nX: y\r\n\r\n", 400},
      {"no header at all", "GET / HTTP/1.1\r\n\r\n", 400},
      {"a second Host", "GET / HTTP/1.1\r\n" WEFT_HOST WEFT_HOST "\r\n", 400},
      {"a second Host in HTTP/1.0", "GET / HTTP/1.0\r\n" WEFT_HOST "hOsT: b\r\n\r\n", 400},
      {"a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
      {"a Host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
      {"a Host with white space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
      {"two empty lines before the request", "\r\n\r\n" WEFT_GET(""), 400},
      {"a port above 65535", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", 400},
      {"a port of five nines", "GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n", 400},
      {"a port above 65535 in a target", "GET http://a:99999/ HTTP/1.1\r\n" WEFT_HOST "\r\n", 400},
      {"a port above 65535 of an address", "GET / HTTP/1.1\r\nHost: [::1]:70000\r\n\r\n", 400},
      {"a Host that is not percent-encoded", "GET / HTTP/1.1\r\nHost: a%zz\r\n\r\n", 400},
      {"a Host that ends in a percent sign", "GET / HTTP/1.1\r\nHost: a%\r\n\r\n", 400},
      {"a path that is not percent-encoded", "GET /a%zz HTTP/1.1\r\n" WEFT_HOST "\r\n", 400},
      {"a path that ends in a percent sign", "GET /a% HTTP/1.1\r\n" WEFT_HOST "\r\n", 400},
      {"a path that ends in half a byte", "GET /a%4 HTTP/1.1\r\n" WEFT_HOST "\r\n", 400},
      {"an absolute target whose path is not percent-encoded",
       "GET http://a/%g0 HTTP/1.1\r\n" WEFT_HOST "\r\n", 400},
      {"an unknown method with a tab", "FOO\t/ HTTP/1.1\r\n" WEFT_HOST "\r\n", 400},
      {"an unknown method of 40 letters",
       "ABCDEFGHIJABCDEFGHIJABCDEFGHIJABCDEFGHIJ / HTTP/1.1\r\n" WEFT_HOST "\r\n", 501},
      {"an unknown method of 40 letters without an end",
       "ABCDEFGHIJABCDEFGHIJABCDEFGHIJABCDEFGHIJ{}/ HTTP/1.1\r\n" WEFT_HOST "\r\n", 501},
      {"a Host with two ports", "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n", 400},
      {"a Host with a port of letters", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400},
      {"a Host with an open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400},
      {"a Host that is only a port", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n", 400},
      {"an empty header name", WEFT_GET(": v\r\n"), 400},
      {"white space before the colon", WEFT_GET("X : v\r\n"), 400},
      {"a tab before the colon", WEFT_GET("X\t: v\r\n"), 400},
      {"no colon", WEFT_GET("X\r\n"), 400},
      {"white space in a name", WEFT_GET("X y: v\r\n"), 400},
      {"a separator in a name", WEFT_GET("X(: v\r\n"), 400},
      {"a byte above 127 in a name", WEFT_GET("X\x80: v\r\n"), 400},
      {"a NUL in a name", WEFT_BYTES(WEFT_GET("X\0: v\r\n")), 400},
      {"a NUL in a value", WEFT_BYTES(WEFT_GET("X: a\0b\r\n")), 400},
      {"a control character in a value", WEFT_GET("X: a\x01z\r\n"), 400},
      {"a DEL in a value", WEFT_GET("X: a\x7fz\r\n"), 400},
      {"a bare CR in a value", WEFT_GET("X: a\rb\r\n"), 400},
      {"a bare LF after a value", WEFT_GET("X: a\n"), 400},
      {"a bare LF as the empty line", "GET / HTTP/1.1\r\n" WEFT_HOST "\n", 400},
      {"a bare CR as the empty line", "GET / HTTP/1.1\r\n" WEFT_HOST "\rX", 400},
      {"white space before the first header", "GET / HTTP/1.1\r\n " WEFT_HOST "\r\n", 400},
      {"a folded line", WEFT_GET("X: a\r\n b\r\n"), 400},
      {"a folded line with a tab", WEFT_GET("X: a\r\n\tb\r\n"), 400},
      {"a folded line after an empty value", WEFT_GET("X:\r\n b\r\n"), 400},
      {"a folded line of white space", WEFT_GET("X: a\r\n \r\n"), 400},
      {"a folded Transfer-Encoding", WEFT_POST("Transfer-Encoding:\r\n chunked\r\n") "0\r\n\r\n", 400},
      {"a folded Connection", WEFT_GET("Connection:\r\n close\r\n"), 400},
      {"a folded Content-Length", WEFT_POST("Content-Length:\r\n 1\r\n") "x", 400},
      {"an unknown expectation", WEFT_GET("Expect: 200-ok\r\n"), 417},
  };
}

/// Bodies whose end is not clear.
inline std::vector<CorpusCase> refused_framing() {
  return {
      {"an empty length", WEFT_POST("Content-Length:\r\n"), 400},
      {"a signed length", WEFT_POST("Content-Length: +3\r\n") "abc", 400},
      {"a negative length", WEFT_POST("Content-Length: -3\r\n") "abc", 400},
      {"a hexadecimal length", WEFT_POST("Content-Length: 0x3\r\n") "abc", 400},
      {"a list of lengths", WEFT_POST("Content-Length: 3, 3\r\n") "abc", 400},
      {"a length of two words", WEFT_POST("Content-Length: 3 4\r\n") "abc", 400},
      {"two equal lengths", WEFT_POST("Content-Length: 3\r\nContent-Length: 3\r\n") "abc", 400},
      {"two different lengths", WEFT_POST("Content-Length: 3\r\nContent-Length: 4\r\n") "abcd", 400},
      {"a length of zero and another", WEFT_POST("Content-Length: 0\r\nContent-Length: 4\r\n") "abcd", 400},
      {"a length above 64 bits", WEFT_POST("Content-Length: 18446744073709551616\r\n"), 413},
      {"a length above the limit", WEFT_POST("Content-Length: 1048577\r\n"), 413},
      {"a length of 64 bits", WEFT_POST("Content-Length: 18446744073709551615\r\n"), 413},
      {"Transfer-Encoding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       400},
      {"Transfer-Encoding, then Content-Length",
       WEFT_POST("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n") "0\r\n\r\n", 400},
      {"Content-Length, then Transfer-Encoding",
       WEFT_POST("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n") "0\r\n\r\n", 400},
      {"a zero Content-Length with Transfer-Encoding",
       WEFT_POST("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n") "0\r\n\r\n", 400},
      {"another coding before chunked", WEFT_POST("Transfer-Encoding: gzip, chunked\r\n") "0\r\n\r\n", 501},
      {"another coding in a line before",
       WEFT_POST("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n") "0\r\n\r\n", 501},
      {"another coding after chunked", WEFT_POST("Transfer-Encoding: chunked, gzip\r\n"), 400},
      {"another coding alone", WEFT_POST("Transfer-Encoding: gzip\r\n"), 400},
      {"identity", WEFT_POST("Transfer-Encoding: identity\r\n"), 400},
      {"chunked twice", WEFT_POST("Transfer-Encoding: chunked, chunked\r\n") "0\r\n\r\n", 400},
      {"chunked in two lines",
       WEFT_POST("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") "0\r\n\r\n", 400},
      {"a coding that ends in chunked", WEFT_POST("Transfer-Encoding: xchunked\r\n") "0\r\n\r\n", 400},
      {"a coding that starts with chunked", WEFT_POST("Transfer-Encoding: chunkedx\r\n") "0\r\n\r\n", 400},
      {"a quoted chunked", WEFT_POST("Transfer-Encoding: \"chunked\"\r\n") "0\r\n\r\n", 400},
      {"chunked with a parameter", WEFT_POST("Transfer-Encoding: chunked;q=1\r\n") "0\r\n\r\n", 400},
      {"chunked behind a vertical tab",
       WEFT_POST("Transfer-Encoding: \x0b"
                 "chunked\r\n") "0\r\n\r\n",
       400},
      {"an empty coding before chunked", WEFT_POST("Transfer-Encoding: ,chunked\r\n") "0\r\n\r\n", 400},
      {"an empty coding behind chunked", WEFT_POST("Transfer-Encoding: chunked,\r\n") "0\r\n\r\n", 400},
      {"an empty coding", WEFT_POST("Transfer-Encoding:\r\n") "0\r\n\r\n", 400},
  };
}

/// Bad chunked bodies, and bad second requests.
inline std::vector<CorpusCase> refused_chunks() {
  return {
      {"a chunk without a size", WEFT_CHUNKED("\r\nx"), 400},
      {"a chunk size with a sign", WEFT_CHUNKED("+1\r\nx\r\n0\r\n\r\n"), 400},
      {"a chunk size with 0x", WEFT_CHUNKED("0x1\r\nx\r\n0\r\n\r\n"), 400},
      {"a chunk size with white space", WEFT_CHUNKED("1 \r\nx\r\n0\r\n\r\n"), 400},
      {"a chunk size of 65 bits", WEFT_CHUNKED("10000000000000000\r\n"), 400},
      {"a chunk size above the limit", WEFT_CHUNKED("100001\r\n"), 413},
      {"a chunk line with a bare LF", WEFT_CHUNKED("1\nx\r\n0\r\n\r\n"), 400},
      {"a chunk extension with a bare LF", WEFT_CHUNKED("1;a\nx\r\n0\r\n\r\n"), 400},
      {"a chunk extension with a bare CR", WEFT_CHUNKED("1;a\rx\r\n0\r\n\r\n"), 400},
      {"a chunk extension with a NUL", WEFT_BYTES(WEFT_CHUNKED("1;a\0\r\nx\r\n0\r\n\r\n")), 400},
      {"chunk data that goes on", WEFT_CHUNKED("3\r\nabcX0\r\n\r\n"), 400},
      {"chunk data that goes on for two", WEFT_CHUNKED("3\r\nabcXX0\r\n\r\n"), 400},
      {"chunk data with a bare LF behind", WEFT_CHUNKED("1\r\nx\n0\r\n\r\n"), 400},
      {"a last chunk with a bare LF", WEFT_CHUNKED("0\n\n"), 400},
      {"an end with a bare LF", WEFT_CHUNKED("0\r\n\n"), 400},
      {"a trailer with a bare LF", WEFT_CHUNKED("0\r\nX: y\n\r\n"), 400},
      {"trailers that end in a bare LF", WEFT_CHUNKED("0\r\nX: y\r\n\n"), 400},
      {"a trailer with a bare CR", WEFT_CHUNKED("0\r\nX: a\rb\r\n\r\n"), 400},
      {"a folded trailer", WEFT_CHUNKED("0\r\nX: y\r\n z\r\n\r\n"), 400},
      {"a trailer without a name", WEFT_CHUNKED("0\r\n: y\r\n\r\n"), 400},
      {"white space before a trailer's colon", WEFT_CHUNKED("0\r\nX : y\r\n\r\n"), 400},
      {"a second request behind a good one", WEFT_GET("") "BAD / HTTP/1.1\r\n\r\n", 501},
      {"a smuggled request behind a length", WEFT_POST("Content-Length: 1\r\n") "xGPOST / HTTP/1.1\r\n\r\n",
       501},
  };
}

/// Requests that are refused, one way of being wrong each.
inline std::vector<CorpusCase> refused_requests() {
  std::vector<CorpusCase> cases = refused_request_lines();
  for (const auto& more : {refused_headers(), refused_framing(), refused_chunks()}) {
    cases.insert(cases.end(), more.begin(), more.end());
  }
  return cases;
}

}  // namespace weft::http::protocol
