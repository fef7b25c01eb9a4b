//! XML that a server or a file hands over, read into a flat tree: plans of queries and graphs of deadlocks.
//!
//! It owns the reading alone: encodings, limits, and words for what is wrong. What the elements mean is the business of
//! its callers (`plan`). Nothing here recurses, so that no depth of a document can exhaust the stack; a document
//! beyond the [`Limits`] is refused before it takes memory. Texts are as the document has them: the caller sanitizes
//! what it keeps.

mod encoding;
#[cfg(test)]
mod tests;

use crate::model::base::figure::push_size;
use quick_xml::{
    Reader,
    errors::SyntaxError,
    escape::{resolve_predefined_entity, unescape},
    events::{BytesStart, Event},
};
use std::collections::HashMap;

/// How large a document may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of the document as it comes.
    pub bytes: usize,
    /// Elements in all.
    pub elements: usize,
    /// Elements within each other.
    pub depth: usize,
}

/// The largest plan among those that were published has 1.3 MB, 6,500 elements and a depth of 92.
pub const LIMITS: Limits = Limits { bytes: 16 << 20, elements: 1_000_000, depth: 512 };

/// Why a document cannot be read. Each is a sentence for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// More bytes than the limit.
    #[error("it has more than the {} that are read", size(*.0))]
    TooLarge(usize),
    /// More elements than the limit.
    #[error("it has more than the {0} elements that are read")]
    TooMany(usize),
    /// More different names than the limit.
    #[error("it has more than the {0} different names of elements and attributes that are read")]
    TooManyNames(usize),
    /// Deeper than the limit.
    #[error("its elements are nested deeper than {0}")]
    TooDeep(usize),
    /// It is in an encoding that is not read.
    #[error("it is in {0}, which is not read: save it as UTF-8 or UTF-16")]
    Encoding(&'static str),
    /// It holds no element at all.
    #[error("there is no XML in it")]
    Empty,
    /// It ends before its elements do.
    #[error("it is cut short: elements are open at its end")]
    Cut,
    /// It is no XML from this line on.
    #[error("its XML is broken in line {line}")]
    Broken {
        /// Counted from 1.
        line: usize,
    },
}

fn size(bytes: usize) -> String {
    let mut text = String::new();
    push_size(&mut text, bytes as f64);
    text
}

/// A part of `Document::strings`.
#[derive(Clone, Copy, Default)]
struct Span {
    start: u32,
    len: u32,
}

struct Node {
    name: u16,
    /// Behind its last descendant: elements stand in the order of the document, so that an element's descendants are
    /// those between it and this.
    end: u32,
    first_attribute: u32,
    attributes: u16,
    text: Span,
}

struct Attribute {
    name: u16,
    value: Span,
}

/// A document: its elements in their order, in four flat lists.
pub struct Document {
    nodes: Vec<Node>,
    attributes: Vec<Attribute>,
    names: Vec<Box<str>>,
    strings: String,
}

impl Document {
    /// Reads `bytes` in the encoding that they have, whatever they declare (11 of 106 plans in the wild declare UTF-16
    /// and are UTF-8).
    ///
    /// # Errors
    /// Those of [`XmlError`].
    pub fn read(bytes: &[u8], limits: Limits) -> Result<Self, XmlError> {
        let (document, is_cut) = Self::read_as_far(bytes, limits)?;
        if is_cut { Err(XmlError::Cut) } else { Ok(document) }
    }

    /// Reads what there is of a document that was cut, and says whether it was: elements that are open at its end, end there.
    ///
    /// # Errors
    /// Those of [`XmlError`], but for `Cut` where there is an element.
    pub fn read_as_far(bytes: &[u8], limits: Limits) -> Result<(Self, bool), XmlError> {
        if bytes.len() > limits.bytes {
            return Err(XmlError::TooLarge(limits.bytes));
        }
        if encoding::is_utf32(bytes) {
            return Err(XmlError::Encoding("UTF-32"));
        }
        let decoded = encoding::decode(bytes);
        let text = encoding::unwrapped(&decoded);
        let mut builder = Builder::new(limits, text.len());
        let is_cut = match builder.fill(&text) {
            Ok(()) => !builder.open.is_empty(),
            Err(XmlError::Cut) => true,
            Err(error) => return Err(error),
        };
        while !builder.open.is_empty() {
            builder.close();
        }
        match builder.document.nodes.is_empty() {
            true if is_cut => Err(XmlError::Cut),
            true => Err(XmlError::Empty),
            false => Ok((builder.document, is_cut)),
        }
    }

    /// The outermost elements: one in a document, more where several were written behind each other.
    pub fn roots(&self) -> Children<'_> {
        Children { document: self, at: 0, end: self.nodes.len() as u32 }
    }
}

/// A document as text, whatever its encoding. What is no text in it becomes U+FFFD.
pub fn decoded(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    encoding::decode(bytes)
}

fn broken(text: &str, at: u64) -> XmlError {
    let before = text.get(..at as usize).unwrap_or(text);
    XmlError::Broken { line: 1 + before.matches('\n').count() }
}

/// Fills the lists of a [`Document`].
struct Builder {
    document: Document,
    /// Numbers of the names seen so far.
    known: HashMap<Box<str>, u16>,
    open: Vec<u32>,
    limits: Limits,
}

impl Builder {
    fn new(limits: Limits, bytes: usize) -> Self {
        let document = Document {
            nodes: Vec::new(),
            attributes: Vec::new(),
            names: Vec::new(),
            strings: String::with_capacity(bytes / 2),
        };
        Self { document, known: HashMap::new(), open: Vec::new(), limits }
    }

    /// Reads to the end of a text.
    fn fill(&mut self, text: &str) -> Result<(), XmlError> {
        let mut reader = Reader::from_str(text);
        reader.config_mut().allow_dangling_amp = true;
        loop {
            let event = reader.read_event().map_err(|error| match error {
                quick_xml::Error::Syntax(SyntaxError::InvalidBangMarkup) => {
                    broken(text, reader.error_position())
                }
                quick_xml::Error::Syntax(_) => XmlError::Cut,
                _ => broken(text, reader.error_position()),
            })?;
            match event {
                Event::Start(element) => self.open(&element, false)?,
                Event::Empty(element) => self.open(&element, true)?,
                Event::End(_) => self.close(),
                Event::Text(words) => self.text(&words.xml10_content()),
                Event::CData(words) => self.text(&words.xml10_content()),
                Event::GeneralRef(entity) => match entity.resolve_char_ref() {
                    Ok(Some(c)) => self.text(c.encode_utf8(&mut [0; 4])),
                    _ => self.text(resolve_predefined_entity(&entity).unwrap_or("?")),
                },
                Event::Eof => return Ok(()),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            }
        }
    }

    fn open(&mut self, element: &BytesStart<'_>, empty: bool) -> Result<(), XmlError> {
        if self.document.nodes.len() >= self.limits.elements {
            return Err(XmlError::TooMany(self.limits.elements));
        }
        if self.open.len() >= self.limits.depth {
            return Err(XmlError::TooDeep(self.limits.depth));
        }
        let name = self.name(element.local_name().as_ref())?;
        let first_attribute = self.document.attributes.len() as u32;
        for attribute in element.attributes().with_checks(false).flatten() {
            let name = self.name(attribute.key.local_name().as_ref())?;
            let value = match unescape(&attribute.value) {
                Ok(value) => self.keep(&value),
                Err(_) => self.keep(&encoding::unescaped(&attribute.value)),
            };
            self.document.attributes.push(Attribute { name, value });
        }
        let attributes = self.document.attributes.len() as u32 - first_attribute;
        let at = self.document.nodes.len() as u32;
        self.document.nodes.push(Node {
            name,
            end: at + 1,
            first_attribute,
            attributes: u16::try_from(attributes).unwrap_or(u16::MAX),
            text: Span::default(),
        });
        if !empty {
            self.open.push(at);
        }
        Ok(())
    }

    fn close(&mut self) {
        let end = self.document.nodes.len() as u32;
        if let Some(node) = self.open.pop().and_then(|at| self.document.nodes.get_mut(at as usize)) {
            node.end = end;
        }
    }

    /// Text before an element's first child; mixed content is not kept, since nothing that is read here has any.
    fn text(&mut self, text: &str) {
        let Some(&at) = self.open.last() else { return };
        if self.document.nodes.len() as u32 != at + 1 {
            return;
        }
        let added = self.keep(text);
        if let Some(node) = self.document.nodes.get_mut(at as usize) {
            if node.text.len == 0 {
                node.text.start = added.start;
            }
            node.text.len += added.len;
        }
    }

    fn keep(&mut self, text: &str) -> Span {
        let start = self.document.strings.len() as u32;
        self.document.strings.push_str(text);
        Span { start, len: text.len() as u32 }
    }

    fn name(&mut self, name: &str) -> Result<u16, XmlError> {
        if let Some(&code) = self.known.get(name) {
            return Ok(code);
        }
        // No schema that is read here has 500 names.
        let code = u16::try_from(self.document.names.len())
            .map_err(|_| XmlError::TooManyNames(usize::from(u16::MAX)))?;
        self.document.names.push(name.into());
        self.known.insert(name.into(), code);
        Ok(code)
    }
}

/// An element of a document.
#[derive(Clone, Copy)]
pub struct Element<'a> {
    document: &'a Document,
    at: u32,
}

impl<'a> Element<'a> {
    fn node(self) -> Option<&'a Node> {
        self.document.nodes.get(self.at as usize)
    }

    /// Its name without a prefix.
    pub fn name(self) -> &'a str {
        self.node().and_then(|node| self.document.names.get(usize::from(node.name))).map_or("", |name| name)
    }

    /// Names are compared without regard to case: some tools write them in lower case.
    pub fn is(self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name)
    }

    /// The value of an attribute.
    pub fn get(self, name: &str) -> Option<&'a str> {
        let node = self.node()?;
        let first = node.first_attribute as usize;
        let own = self.document.attributes.get(first..first + usize::from(node.attributes))?;
        let found = own.iter().find(|attribute| {
            let known = self.document.names.get(usize::from(attribute.name));
            known.is_some_and(|known| known.eq_ignore_ascii_case(name))
        })?;
        Some(self.document.at(found.value))
    }

    /// The number in an attribute; `None` where it is absent or no finite number.
    pub fn number(self, name: &str) -> Option<f64> {
        self.get(name)?.trim().parse().ok().filter(|n: &f64| n.is_finite())
    }

    /// The count in an attribute.
    pub fn count(self, name: &str) -> Option<u64> {
        self.get(name)?.trim().parse().ok()
    }

    /// True for an attribute that says `true` or `1`.
    pub fn flag(self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value == "1" || value.eq_ignore_ascii_case("true"))
    }

    /// The text in it, before its first child, trimmed.
    pub fn text(self) -> &'a str {
        self.node().map_or("", |node| self.document.at(node.text).trim())
    }

    /// The document that stands in it as a mere text, escaped or as CDATA, and names such an element. Events of old servers and
    /// exports of tools have them.
    pub fn hidden(self, element: &str) -> Option<&'a str> {
        Some(self.text()).filter(|text| text.starts_with('<') && text.contains(element))
    }

    /// It and everything in it, in order.
    pub fn whole(self) -> impl Iterator<Item = Self> {
        [self].into_iter().chain(self.descendants())
    }

    /// Its children, in order.
    pub fn children(self) -> Children<'a> {
        Children { document: self.document, at: self.at + 1, end: self.end() }
    }

    /// Its first child of that name.
    pub fn child(self, name: &str) -> Option<Self> {
        self.children().find(|child| child.is(name))
    }

    /// Everything in it, in order, itself not included.
    pub fn descendants(self) -> Walk<'a> {
        Walk { document: self.document, at: self.at + 1, end: self.end() }
    }

    /// The first descendant of that name.
    pub fn find(self, name: &str) -> Option<Self> {
        self.descendants().find(|element| element.is(name))
    }

    /// Its place among the elements of the document.
    pub const fn place(self) -> u32 {
        self.at
    }

    /// The place behind its last descendant.
    pub fn end(self) -> u32 {
        self.node().map_or(self.at + 1, |node| node.end)
    }
}

impl Document {
    fn at(&self, span: Span) -> &str {
        let start = span.start as usize;
        self.strings.get(start..start + span.len as usize).unwrap_or("")
    }
}

/// The children of an element.
pub struct Children<'a> {
    document: &'a Document,
    at: u32,
    end: u32,
}

impl<'a> Iterator for Children<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let element = (self.at < self.end).then_some(Element { document: self.document, at: self.at })?;
        self.at = element.end();
        Some(element)
    }
}

/// The descendants of an element, in the order of the document.
pub struct Walk<'a> {
    document: &'a Document,
    at: u32,
    end: u32,
}

impl Walk<'_> {
    /// Goes on behind this element and all that is in it.
    pub fn skip_over(&mut self, element: Element<'_>) {
        self.at = self.at.max(element.end());
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let element = (self.at < self.end).then_some(Element { document: self.document, at: self.at })?;
        self.at += 1;
        Some(element)
    }
}
