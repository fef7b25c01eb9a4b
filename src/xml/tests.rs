//! Encodings, limits, damage: what a document may be, and what is refused.

use super::{Attribute, Builder, Document, Element, LIMITS, Limits, Node, XmlError};
use proptest::prelude::*;

fn read(text: &str) -> Document {
    Document::read(text.as_bytes(), LIMITS).expect("XML")
}

fn error(bytes: &[u8]) -> XmlError {
    Document::read(bytes, LIMITS).err().expect("it is refused")
}

#[test]
fn elements_attributes_and_texts_are_found_by_name_in_any_case_and_without_prefix() {
    let document = read(
        "<?xml version='1.0'?><p:a xmlns:p='x' One='1 &lt; 2'><b>x &amp; y<c/>later</b><B n='7'/></p:a>",
    );
    let root = document.roots().next().unwrap();
    assert_eq!(root.name(), "a");
    assert_eq!(root.get("one"), Some("1 < 2"));
    assert_eq!(root.children().map(Element::name).collect::<Vec<_>>(), ["b", "B"]);
    assert_eq!(root.child("b").unwrap().text(), "x & y");
    assert_eq!(root.children().nth(1).unwrap().count("N"), Some(7));
    assert_eq!(root.descendants().map(Element::name).collect::<Vec<_>>(), ["b", "c", "B"]);
    assert_eq!(root.get("two"), None);
}

#[test]
fn the_encoding_is_what_the_bytes_are_and_not_what_they_declare() {
    let text = "<?xml version=\"1.0\" encoding=\"utf-16\"?><a n=\"Größe 😀\"/>";
    let wide = |mark: &[u8], unit: fn(u16) -> [u8; 2]| {
        let mut bytes = mark.to_vec();
        bytes.extend(text.encode_utf16().flat_map(unit));
        bytes
    };
    let marked = [b"\xef\xbb\xbf".as_slice(), text.as_bytes()].concat();
    let all = [
        text.as_bytes().to_vec(),
        marked,
        wide(b"\xff\xfe", u16::to_le_bytes),
        wide(b"\xfe\xff", u16::to_be_bytes),
        wide(b"", u16::to_le_bytes),
        wide(b"", u16::to_be_bytes),
    ];
    for bytes in all {
        let document = Document::read(&bytes, LIMITS).expect("it is read");
        assert_eq!(document.roots().next().unwrap().get("n"), Some("Größe 😀"), "{:x?}", &bytes[..4]);
    }
    // Latin-1 that declares UTF-8: what cannot be read is marked, the rest stays.
    let document = Document::read(b"<a n=\"Gr\xf6\xdfe\" m=\"2\"/>", LIMITS).expect("it is read");
    assert_eq!(document.roots().next().unwrap().get("m"), Some("2"));
    // Latin-1 that says so.
    let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><a n=\"Gr\xf6\xdfe\"/>";
    assert_eq!(
        Document::read(latin, LIMITS).expect("it is read").roots().next().unwrap().get("n"),
        Some("Größe")
    );
}

#[test]
fn an_encoding_that_is_not_read_is_named() {
    for text in ["<a/>", "<?xml version=\"1.0\" encoding=\"utf-32\"?><a/>", "\u{feff}<a/>"] {
        for unit in [u32::to_le_bytes, u32::to_be_bytes] {
            let bytes: Vec<u8> = text.chars().flat_map(|c| unit(c.into())).collect();
            assert_eq!(error(&bytes), XmlError::Encoding("UTF-32"), "{:x?}", &bytes[..4]);
        }
    }
    let told = XmlError::Encoding("UTF-32").to_string();
    assert_eq!(told, "it is in UTF-32, which is not read: save it as UTF-8 or UTF-16");
}

#[test]
fn what_a_tool_wrapped_around_a_document_is_taken_off() {
    for text in [
        "\"<a n=\"\"1\"\" m=\"\"\"\"/>\"",
        "\"<a n='1'/>\"",
        " &lt;a n=&quot;1&quot;/&gt;",
        "\u{feff}\"<a n=\"\"1\"\"/>\"\r\n",
    ] {
        assert_eq!(read(text).roots().next().unwrap().get("n"), Some("1"), "{text}");
    }
    let within = read("<e><v> &lt;a n='1'/&gt;</v><w><![CDATA[<a n='2'/>]]></w><x>a &lt; b</x></e>");
    let told = within.roots().flat_map(Element::whole).filter_map(|element| element.hidden("<a"));
    assert_eq!(told.collect::<Vec<_>>(), ["<a n='1'/>", "<a n='2'/>"]);
}

#[test]
fn an_entity_that_is_none_does_not_spoil_the_text_around_it() {
    let document = read("<a n='x &lt; y &unknown; &#65;&#x42;&#0; &amp; z & more' />");
    let told = document.roots().next().unwrap().get("n");
    assert_eq!(told, Some("x < y &unknown; AB\u{fffd} & z & more"));
}

#[test]
fn what_is_no_document_is_refused_with_its_reason() {
    assert_eq!(error(b""), XmlError::Empty);
    assert_eq!(error(b"just words"), XmlError::Empty);
    assert_eq!(error(b"<a><b></b>"), XmlError::Cut);
    assert_eq!(error(b"<a><b x='1"), XmlError::Cut);
    assert_eq!(error(b"<a>\n<!nothing></a>"), XmlError::Broken { line: 2 });
    assert_eq!(error(b"<a>\n<b>\n</c></a>"), XmlError::Broken { line: 3 });
    assert_eq!(error(b"<a>\n<b>\n</c></a>").to_string(), "its XML is broken in line 3");
}

#[test]
fn each_limit_holds() {
    let limits = Limits { bytes: 100, elements: 4, depth: 3 };
    let refused = |text: &str| Document::read(text.as_bytes(), limits).err();
    assert_eq!(refused("<a><b><c/></b></a>"), None);
    assert_eq!(refused("<a><b><c><d/></c></b></a>"), Some(XmlError::TooDeep(3)));
    assert_eq!(refused("<a><b/><b/><b/></a>"), None);
    assert_eq!(refused("<a><b/><b/><b/><b/></a>"), Some(XmlError::TooMany(4)));
    let long = format!("<a>{}</a>", "x".repeat(100));
    assert_eq!(refused(&long), Some(XmlError::TooLarge(100)));
    let huge = vec![b'<'; 64 << 20];
    // Readers of files stop behind the limit: how large the file is nobody knows.
    assert_eq!(error(&huge).to_string(), "it has more than the 16 MB that are read");
    let names: String = (0..66_000).fold(String::new(), |names, n| names + &format!("<n{n}/>"));
    assert_eq!(error(names.as_bytes()), XmlError::TooManyNames(65_535));
}

#[test]
fn any_depth_is_refused_and_not_followed() {
    for depth in [512, 513, 2_000, 400_000] {
        let text = "<a>".repeat(depth) + &"</a>".repeat(depth);
        let read = Document::read(text.as_bytes(), LIMITS);
        assert_eq!(read.err(), (depth > 512).then_some(XmlError::TooDeep(512)), "{depth}");
    }
}

/// Bytes that the lists of a reader hold, with what they have set aside.
fn held(text: &str) -> usize {
    let mut builder = Builder::new(LIMITS, text.len());
    let _ = builder.fill(text);
    let Document { nodes, attributes, names, strings } = &builder.document;
    let known = builder.known.keys().map(|name| name.len()).sum::<usize>();
    nodes.capacity() * size_of::<Node>()
        + attributes.capacity() * size_of::<Attribute>()
        + (names.capacity() + builder.known.capacity()) * size_of::<(Box<str>, u16)>()
        + 2 * known
        + strings.capacity()
        + builder.open.capacity() * size_of::<u32>()
}

#[test]
fn hostile_documents_make_the_reader_hold_no_more_than_their_bytes_allow() {
    const MB: usize = 1 << 20;
    let of = |part: &str, bytes: usize| part.repeat(bytes / part.len());
    let names = (0..70_000).fold(String::new(), |all, n| all + &format!("<n{n} a{n}=''/>"));
    let documents = [
        ("elements", of("<a/>", MB)),
        ("attributes", of("<a b='' c='' d='' e='' f='' g='' h=''/>", MB)),
        ("one element of attributes", format!("<a{}/>", of(" b=''", MB))),
        ("texts", of("<a>text</a>", MB)),
        ("one text", format!("<a>{}</a>", "x".repeat(MB))),
        ("entities", format!("<a>{}</a>", of("&amp;&#65;&none;", MB))),
        ("entities in attributes", format!("<a b='{}'/>", of("&amp;&#65;&none;", MB))),
        (
            "entities of its own",
            format!("<!DOCTYPE a [<!ENTITY b \"{}\">]><a>{}</a>", "x".repeat(1_000), of("&b;", MB)),
        ),
        ("cut", of("<a b='1'>", MB)),
        ("depth", of("<a>", MB)),
        ("names", names),
        ("comments", of("<!-- x -->", MB)),
    ];
    for (what, text) in documents {
        // An element of four bytes is 24 here, and a list that grows has room for twice as many.
        let (held, most) = (held(&text), text.len() * 14 + 4_096);
        assert!(held <= most, "{what}: {held} for {} bytes", text.len());
    }
    // Behind a limit nothing is held, however much comes.
    let deep = |n: usize| held(&"<a>".repeat(n)) - 3 * n / 2;
    assert!(deep(400_000) <= deep(1_000) + 16, "{} and {}", deep(400_000), deep(1_000));
    let few = Limits { elements: 1_000, ..LIMITS };
    let many = |n: usize| {
        let text = "<a/>".repeat(n);
        let mut builder = Builder::new(few, 0);
        assert_eq!(builder.fill(&text).is_err(), n > 1_000);
        builder.document.nodes.capacity()
    };
    assert_eq!(many(1_001), many(1_000_000));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Document::read(&bytes, LIMITS);
    }

    #[test]
    fn a_document_cut_anywhere_is_refused(cut in 1_usize..62) {
        let text = "<a one='1'><b>text &amp; more</b><!-- c --><c><d x=\"y\"/></c></a>";
        prop_assume!(cut < text.len());
        prop_assert!(Document::read(&text.as_bytes()[..cut], LIMITS).is_err());
    }
}
