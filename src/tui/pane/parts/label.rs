//! The names of the fields in the details of a part.

/// A title as the name of a field: small, as the names of all documents are, and whole where a column has no room for it.
pub(super) fn label(title: &str) -> String {
    match title {
        "USER OBJ" => "user objects".to_owned(),
        "INTERNAL" => "internal objects".to_owned(),
        "VLFS" => "VLFs".to_owned(),
        "DOP" => "DOP".to_owned(),
        "READ STALL" | "WRITE STALL" => title.to_lowercase() + " ms/s",
        _ => title.to_lowercase().replace("mb/s", "MB/s").replace("cpu", "CPU"),
    }
}
