//! What docker's own client makes of a command line: it is run against an engine that takes note of
//! the container it is asked for, and refuses it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Output;
use std::thread;

use serde_json::Value;

use super::consumers::inside;

/// Runs this `docker run ...`; the container that the engine was asked for, if it was, and what the
/// client said.
pub fn docker(line: &str) -> (Option<Value>, Output) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let engine = thread::spawn(move || {
        loop {
            let (stream, _) = listener.accept().unwrap();
            match answer(&stream) {
                DockerRequest::Container(asked) => return Some(asked),
                DockerRequest::End => return None,
                DockerRequest::Other => {}
            }
        }
    });
    let script = format!("export DOCKER_HOST=tcp://{address}\n{line}");
    let output = inside(&script, "");
    // The client may have ended without a word to the engine.
    let _ =
        TcpStream::connect(address).and_then(|mut end| end.write_all(b"END / HTTP/1.1\r\n\r\n"));
    (engine.join().unwrap(), output)
}

enum DockerRequest {
    Container(Value),
    End,
    Other,
}

/// Reads one request and answers it: to a ping with the version of the interface, to all else
/// with an error.
fn answer(stream: &TcpStream) -> DockerRequest {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    let mut length = 0;
    let mut line = String::new();
    while reader.read_line(&mut line).unwrap() > 2 {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let (status, text) = match first.contains("/_ping") {
        true => ("200 OK", ""),
        false => ("500 Internal Server Error", r#"{"message":"seen"}"#),
    };
    let mut stream = stream;
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n{}",
        text.len(),
        if first.starts_with("HEAD") { "" } else { text },
    );
    if first.contains("/containers/create") {
        DockerRequest::Container(serde_json::from_slice(&body).unwrap())
    } else if first.starts_with("END") {
        DockerRequest::End
    } else {
        DockerRequest::Other
    }
}
