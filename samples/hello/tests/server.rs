//! The binary, over real sockets.

#![allow(clippy::disallowed_methods, reason = "a real process has the real clock")]
#![allow(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(env: &[(&str, &str)]) -> Server {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hello"))
            .env("PORT", "0")
            .envs(env.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .expect("hello starts");
        let mut line = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().rsplit(':').next().unwrap().parse().expect(&line);
        Server { child, address: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream
    }

    /// The whole answer to one request on a connection of its own.
    fn ask(&self, request: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn get(&self, target: &str) -> String {
        self.ask(&format!("GET {target} HTTP/1.1\r\nhost: h\r\nx-a: \"b\"\r\nconnection: close\r\n\r\n"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn every_path_answers() {
    let server = Server::start(&[("TARGET", "tests"), ("VERSION", "v7"), ("QUOTED", "a\"b")]);
    let cases = [
        ("/", "200 OK", "Hello tests!\n"),
        ("/?x=1", "200 OK", "Hello tests!\n"),
        ("/version", "200 OK", "v7\n"),
        ("/env", "200 OK", r#""QUOTED":"a\"b""#),
        ("/headers", "200 OK", r#"{"host":"h","x-a":"\"b\"","connection":"close"}"#),
        ("/healthz", "200 OK", "ok\n"),
        ("/sleep?ms=1", "200 OK", "slept\n"),
        ("/say?text=hi", "200 OK", "said\n"),
        ("/stream?n=2&ms=1", "200 OK", "8\r\nchunk 0\n\r\n8\r\nchunk 1\n\r\n0\r\n\r\n"),
        ("/concurrency", "200 OK", "\r\n\r\n1\n"),
        ("/echo", "405 Method Not Allowed", "POST"),
        ("/ws", "400 Bad Request", "WebSocket"),
        ("/none", "404 Not Found", "no such path"),
    ];
    for (target, status, part) in cases {
        let answer = server.get(target);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{target}: {answer}");
        assert!(answer.contains(part), "{target}: {answer}");
    }
}

#[test]
fn a_connection_takes_requests_one_after_the_other() {
    let server = Server::start(&[]);
    let answer = server.ask(
        "GET / HTTP/1.1\r\n\r\nPOST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc\
         GET /version HTTP/1.1\r\nconnection: close\r\n\r\n",
    );
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 3, "{answer}");
    assert!(server.ask("nonsense\r\n\r\n").starts_with("HTTP/1.1 400 Bad Request"));
}

#[test]
fn a_body_comes_back_as_it_goes() {
    let server = Server::start(&[]);
    let cases = [
        "POST /echo HTTP/1.1\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello",
        "POST /echo HTTP/1.1\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ];
    for request in cases {
        let answer = server.ask(request);
        assert!(answer.ends_with("5\r\nhello\r\n0\r\n\r\n"), "{answer}");
    }
    // The first piece is back before the second is sent.
    let mut stream = server.connect();
    stream.write_all(b"POST /echo HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n").unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut seen = String::new();
    while !seen.contains("one") {
        assert!(reader.read_line(&mut seen).unwrap() > 0, "{seen}");
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
}

#[test]
fn healthz_says_no_until_its_time() {
    let later = Server::start(&[("HEALTHZ_DELAY_MS", "3600000")]);
    assert!(later.get("/healthz").starts_with("HTTP/1.1 503"));
    let soon = Server::start(&[("HEALTHZ_DELAY_MS", "50")]);
    let deadline = Instant::now() + Duration::from_secs(10);
    while !soon.get("/healthz").starts_with("HTTP/1.1 200") {
        assert!(Instant::now() < deadline, "never healthy");
    }
}

#[test]
fn concurrency_counts_what_overlaps() {
    let server = Server::start(&[]);
    let answers: Vec<String> = thread::scope(|scope| {
        let asked: Vec<_> = (0..4).map(|_| scope.spawn(|| server.get("/concurrency?ms=500"))).collect();
        asked.into_iter().map(|answer| answer.join().unwrap()).collect()
    });
    assert!(answers.iter().any(|answer| answer.ends_with("\r\n4\n")), "{answers:?}");
}

#[test]
fn crash_exits_with_its_code() {
    let mut server = Server::start(&[]);
    assert_eq!(server.get("/crash?code=3"), "");
    assert_eq!(server.child.wait().unwrap().code(), Some(3));
}

#[test]
fn sigterm_finishes_what_was_begun() {
    let mut server = Server::start(&[]);
    let mut stream = server.connect();
    // The first chunk shows that the request is being answered.
    stream.write_all(b"GET /stream?n=3&ms=100 HTTP/1.1\r\n\r\n").unwrap();
    let mut reader = BufReader::new(stream);
    let mut answer = String::new();
    while !answer.contains("chunk 0") {
        assert!(reader.read_line(&mut answer).unwrap() > 0, "{answer}");
    }
    let pid = server.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    reader.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("chunk 2\n\r\n0\r\n\r\n"), "{answer}");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_web_socket_echoes() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    stream
        .write_all(
            b"GET /ws HTTP/1.1\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-key: k\r\n\r\n",
        )
        .unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        assert!(reader.read_line(&mut line).unwrap() > 0);
    }
    // (opcode sent, length, head of the answer); the payload is masked with 1.
    let cases =
        [(0x81u8, 5usize, 0x81u8), (0x82, 300, 0x82), (0x89, 2, 0x8a), (0x82, 70_000, 0x82), (0x88, 0, 0x88)];
    for (opcode, length, expect) in cases {
        let size: Vec<u8> = match length {
            n @ 0..126 => vec![n as u8],
            n @ 126..65536 => [vec![126], (n as u16).to_be_bytes().to_vec()].concat(),
            n => [vec![127], (n as u64).to_be_bytes().to_vec()].concat(),
        };
        let mut frame = vec![opcode, size[0] | 0x80];
        frame.extend(&size[1..]);
        frame.extend([1; 4]);
        frame.extend(vec![b'a' ^ 1; length]);
        stream.write_all(&frame).unwrap();
        let mut answer = vec![0; 1 + size.len() + length];
        reader.read_exact(&mut answer).unwrap();
        assert_eq!(answer, [vec![expect], size, vec![b'a'; length]].concat());
    }
}

#[test]
fn steps_come_before_service() {
    let dir = std::env::temp_dir().join(format!("hello-steps-{}", std::process::id()));
    std::fs::create_dir(&dir).unwrap();
    let file = dir.join("a").display().to_string();
    let cases = [
        ("say=a b".to_owned(), "a b".to_owned()),
        (format!("write={file}:x\ny"), String::new()),
        (format!("cat={file}"), "x\\ny".to_owned()),
        (format!("list={}", dir.display()), "a".to_owned()),
        (format!("fill={file}:70000"), String::new()),
        (format!("wait={file}"), String::new()),
        ("env=STEP".to_owned(), "taken".to_owned()),
        ("cat=/none".to_owned(), "error: No such file or directory (os error 2)".to_owned()),
        ("dance".to_owned(), "error: no such step".to_owned()),
        ("exit=3".to_owned(), String::new()),
    ];
    let mut command = Command::new(env!("CARGO_BIN_EXE_hello"));
    let output = command.env("STEP", "taken").args(cases.iter().map(|(step, _)| step)).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(std::fs::metadata(&file).unwrap().len(), 70_000);
    let expect: String = cases.iter().map(|(step, result)| format!("{step} -> {result}\n")).collect();
    // What a step says is trimmed, so that nothing follows an arrow that has nothing to tell.
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expect.replace("-> \n", "->\n"));
    std::fs::remove_dir_all(&dir).unwrap();
}
