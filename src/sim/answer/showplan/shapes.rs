//! Which operators a statement of the simulator gets: those that its text needs, by the picture that its plan has.

use super::{Picture, escaped, reading::Reading, tree::Node};

/// Rows of the busiest table.
const ROWS: f64 = 88_000_000.0;
/// What a seek is expected to find, and what a value with very many rows has.
const FEW: f64 = 48.0;
const MANY: f64 = 412_600.0;

/// A statement, where it runs, and which plan it has.
pub struct Shapes<'a> {
    pub read: &'a Reading<'a>,
    pub database: &'a str,
    pub year: u16,
    pub picture: Picture,
}

/// Schema and name of a table, without brackets.
pub fn parts(table: &str) -> (String, String) {
    let clean = |part: &str| part.trim_matches(['[', ']']).to_owned();
    table.rsplit_once('.').map_or_else(
        || ("dbo".to_owned(), clean(table)),
        |(schema, table)| (clean(schema.rsplit('.').next().unwrap_or(schema)), clean(table)),
    )
}

impl Shapes<'_> {
    /// The root of its tree; None: such a statement has none.
    pub fn tree(&self) -> Option<Node> {
        let read = self.read;
        Some(match read.kind() {
            "SELECT" => self.select(),
            "SELECT INTO" => self.fill("Table Insert", self.select()),
            "INSERT" if read.has("VALUES") => self.fill("Clustered Index Insert", constant()),
            "INSERT" => {
                let heap = read.target().starts_with(['#', '[']) || read.target().starts_with("stage.");
                self.fill(if heap { "Table Insert" } else { "Clustered Index Insert" }, self.select())
            }
            "BULK INSERT" => {
                let stream =
                    Node::new("Remote Scan", "Remote Scan", "RemoteScan").with("RemoteObject=\"STREAM\"");
                self.fill("Table Insert", stream.rows(9_000.0, 9_000.0))
            }
            "UPDATE" => self.update(),
            "DELETE" => self.delete(),
            "MERGE" => self.merge(),
            "ALTER INDEX" => self.fill("Online Index Insert", self.sorted(self.scan(ROWS, ROWS))),
            "UPDATE STATISTICS" => {
                let sorted = self.sorted(self.scan(ROWS / 5.0, ROWS / 5.0));
                Node::new("Stream Aggregate", "Aggregate", "StreamAggregate").over([sorted])
            }
            "BACKUP" | "DBCC" => return None,
            _ => constant(),
        })
    }

    /// True if the optimizer chooses between several plans by the value that it seeks.
    pub fn depends_on_value(&self) -> bool {
        let seeks = self.read.equality().is_some_and(|(column, _)| !self.read.is_key(column));
        seeks && self.read.kind() == "SELECT" && !self.is_lost() && !self.read.is_optional()
    }

    /// The plan of a query that lost its index, or the seek in it.
    pub fn is_lost(&self) -> bool {
        matches!(self.picture, Picture::LostSeek | Picture::NoIndex) && self.read.kind() == "SELECT"
    }

    /// What the conversion does that loses the seek.
    pub fn conversion(&self) -> Option<String> {
        let (column, value) = self.read.equality().filter(|_| self.is_parallel())?;
        Some(format!("CONVERT_IMPLICIT(bigint,[o].[{column}],0)=[{value}]"))
    }

    pub fn is_parallel(&self) -> bool {
        self.is_lost() && self.picture == Picture::LostSeek
    }

    /// Since 2019 large scans of tables stored by rows run in batch mode, too.
    fn is_batch(&self) -> bool {
        self.year >= 2019 && self.is_lost()
    }

    /// So many rows are expected that they are hashed and not looped over.
    fn is_large(&self, expected: f64) -> bool {
        self.is_lost() || expected > 10_000.0
    }

    fn object(&self, table: &str, index: &str) -> String {
        let (schema, name) = parts(table);
        let (index, kind) = match index {
            "" if name.starts_with('#') => (String::new(), "Heap"),
            "" => (format!(" Index=\"[PK_{name}]\""), "Clustered"),
            index => (format!(" Index=\"[{index}]\""), "NonClustered"),
        };
        let alias = if table == self.read.source() { "o" } else { "d" };
        format!(
            "<Object Database=\"[{}]\" Schema=\"[{schema}]\" Table=\"[{name}]\"{index} Alias=\"[{alias}]\" \
             IndexKind=\"{kind}\" Storage=\"RowStore\" />",
            self.database,
        )
    }

    /// A seek of an index by one column; the key of the table where none is named.
    fn seek(&self, table: &str, index: &str, column: &str, value: &str) -> Node {
        let name = if index.is_empty() { "Clustered Index Seek" } else { "Index Seek" };
        let alias = if table == self.read.source() { "o" } else { "d" };
        let keys = format!(
            "<SeekPredicates><SeekPredicateNew><SeekKeys><Prefix ScanType=\"EQ\"><RangeColumns><ColumnReference \
             Alias=\"[{alias}]\" Column=\"{column}\" /></RangeColumns><RangeExpressions><ScalarOperator \
             ScalarString=\"{value}\" /></RangeExpressions></Prefix></SeekKeys></SeekPredicateNew></SeekPredicates>"
        );
        let attributes = "Ordered=\"1\" ScanDirection=\"FORWARD\" ForcedIndex=\"0\" Storage=\"RowStore\"";
        Node::new(name, name, "IndexScan")
            .with(attributes)
            .part(&self.object(table, index))
            .part(&keys)
            .reading(1.0, 3)
            .taking(0.3, 0.0033)
    }

    /// The rows that it finds by a column: by the key of the table, or by an index and a lookup for each row.
    fn found(&self) -> Node {
        let table = self.read.source();
        let Some((column, value)) = self.read.equality() else { return self.scan(MANY, 400_000.0) };
        let value = format!("[{value}]");
        if self.read.is_key(column) {
            return self.seek(table, "", column, &value);
        }
        let came = if self.picture == Picture::Sniffed { MANY } else { 50.0 };
        let seek = self.seek(table, &format!("IX_{column}"), column, &value);
        let seek = seek.rows(came, FEW).reading(came, (came / 12.0) as u64).taking(0.3, 0.0033);
        let attributes = "Lookup=\"1\" Ordered=\"1\" ScanDirection=\"FORWARD\" Storage=\"RowStore\"";
        let lookup = Node::new("Clustered Index Seek", "Clustered Index Seek", "IndexScan")
            .with(attributes)
            .part(&self.object(table, ""))
            .rows(came, 1.0)
            .runs(came as u64, FEW as u64)
            .reading(came, (came * 3.16) as u64)
            .taking(0.5, 0.158);
        let loops = Node::new("Nested Loops", "Inner Join", "NestedLoops").with("Optimized=\"0\"");
        loops.rows(came, FEW).taking(0.2, 0.0002).over([seek, lookup])
    }

    /// A scan of the whole table.
    fn scan(&self, came: f64, expected: f64) -> Node {
        let attributes =
            "Ordered=\"0\" ForcedIndex=\"0\" ForceScan=\"0\" NoExpandHint=\"0\" Storage=\"RowStore\"";
        Node::new("Clustered Index Scan", "Clustered Index Scan", "IndexScan")
            .with(attributes)
            .part(&self.object(self.read.source(), ""))
            .rows(came, expected)
            .reading(came.max(2_400_000.0), 38_600)
            .taking(0.9, 24.6)
    }

    /// The scan that a lost index leaves: of a few rows, or of far more than was expected.
    fn lost(&self) -> Node {
        let (column, value) = self.read.equality().unwrap_or(("CustomerId", "@p0"));
        let status = if self.read.has("o.Status") && self.read.parameters().len() > 1 {
            " AND [o].[Status]=[@p1]"
        } else {
            ""
        };
        let compares = self.conversion().unwrap_or_else(|| format!("[o].[{column}]=[{value}]{status}"));
        let predicate = format!("<Predicate><ScalarOperator ScalarString=\"{compares}\" /></Predicate>");
        let (came, expected, cost) =
            if self.is_parallel() { (1_200_000.0, 900.0, 871.3) } else { (61.0, 58.0, 638.9) };
        self.scan(came, expected)
            .part(&predicate)
            .reading(ROWS, 1_417_322)
            .taking(0.9, cost)
            .mode(self.is_parallel(), self.is_batch())
    }

    fn select(&self) -> Node {
        let mode = (self.is_parallel(), self.is_batch());
        let mut node = if self.is_lost() { self.lost() } else { self.found() };
        if let Some(detail) = self.read.detail() {
            node = self.join(node, detail);
        }
        if self.read.has("GROUP") {
            let rows = (node.came(), node.expected());
            let aggregate = if self.is_large(rows.1) {
                Node::new("Hash Match", "Aggregate", "Hash")
            } else {
                Node::new("Stream Aggregate", "Aggregate", "StreamAggregate")
            };
            let came = if rows.0 > 10_000.0 { rows.0 / 20.0 } else { rows.0 };
            node = aggregate.rows(came, rows.1).mode(mode.0, mode.1).over([node]);
        }
        if self.read.has("ORDER") {
            node = self.sorted(node);
        }
        if mode.0 {
            let rows = (node.came(), node.expected());
            let gather = Node::new("Parallelism", "Gather Streams", "Parallelism");
            node = gather.rows(rows.0, rows.1).taking(0.01, 2.4).mode(true, false).over([node]);
        }
        node
    }

    /// With the rows of the table below.
    fn join(&self, outer: Node, detail: &str) -> Node {
        let (came, expected) = (outer.came(), outer.expected());
        let key = self.read.between("ON", &["WHERE", "JOIN", "GROUP", "ORDER"]);
        let column = key.split([' ', '=']).next().and_then(|name| name.rsplit('.').next()).unwrap_or("Id");
        let column = if column.is_empty() { "Id" } else { column };
        if self.is_large(expected) {
            let scan = Node::new("Index Scan", "Index Scan", "IndexScan")
                .part(&self.object(detail, &format!("IX_{column}")))
                .rows(2_400_000.0, 2_400_000.0)
                .reading(2_400_000.0, 9_100)
                .taking(0.03, 3.1)
                .mode(self.is_parallel(), self.is_batch());
            let hash = Node::new("Hash Match", "Inner Join", "Hash").rows(came, expected);
            return hash.taking(0.02, 1.2).mode(self.is_parallel(), self.is_batch()).over([outer, scan]);
        }
        let seek = self.seek(detail, "", column, &format!("[o].[{column}]"));
        let seek = seek.rows(came * 3.0, 3.0).runs(came as u64, expected as u64).taking(0.03, 0.01);
        let seek = seek.reading(came * 3.0, (came * 3.0) as u64);
        Node::new("Nested Loops", "Inner Join", "NestedLoops")
            .rows(came * 3.0, expected * 3.0)
            .over([outer, seek])
    }

    /// In some order; of a page only its rows.
    fn sorted(&self, node: Node) -> Node {
        let is_page = self.read.has("TOP") || self.read.has("FETCH");
        let (came, expected) = if is_page {
            (node.came().min(50.0), node.expected().min(50.0))
        } else {
            (node.came(), node.expected())
        };
        let order = self.read.between("BY", &["OFFSET", "OVER", "OPTION"]);
        let column =
            order.split([' ', ',', ')']).next().and_then(|name| name.rsplit('.').next()).unwrap_or("");
        let ascending = u8::from(!order.ends_with("DESC"));
        let order = format!(
            "<OrderBy><OrderByColumn Ascending=\"{ascending}\"><ColumnReference Alias=\"[o]\" Column=\"{}\" />\
             </OrderByColumn></OrderBy>",
            escaped(column.trim_matches(['[', ']'])),
        );
        let sort = if is_page {
            Node::new("Sort", "TopN Sort", "TopSort").with("Distinct=\"0\" Rows=\"50\"")
        } else {
            Node::new("Sort", "Sort", "Sort").with("Distinct=\"0\"")
        };
        let cost = if self.is_lost() { 1.3 } else { 0.011 };
        let sort = sort
            .part(&order)
            .rows(came, expected)
            .taking(0.02, cost)
            .mode(self.is_parallel(), self.is_batch());
        if self.is_parallel() {
            let spill = "<Warnings><SpillToTempDb SpillLevel=\"1\" SpilledThreadCount=\"4\" /><SortSpillDetails \
                         GrantedMemoryKb=\"524288\" UsedMemoryKb=\"524288\" WritesToTempDb=\"11264\" \
                         ReadsFromTempDb=\"11264\" /></Warnings>";
            return sort.taking(0.09, 38.7).warning(spill).over([node]);
        }
        sort.over([node])
    }

    /// Rows put into a table.
    fn fill(&self, physical: &'static str, rows: Node) -> Node {
        let (came, expected) = (rows.came(), rows.expected());
        Node::new(physical, "Insert", "Update")
            .part(&self.object(self.read.target(), ""))
            .rows(came, expected)
            .taking(0.3, 0.0132)
            .over([rows])
    }

    fn update(&self) -> Node {
        let mut rows = self.found();
        if let Some(detail) = self.read.detail() {
            let column = self.read.equality().map_or("Id", |(column, _)| column);
            let seek =
                self.seek(detail, &format!("IX_{column}"), column, &format!("[o].[{column}]")).rows(4.0, 3.0);
            let sum = Node::new("Stream Aggregate", "Aggregate", "StreamAggregate").over([seek]);
            rows = Node::new("Nested Loops", "Inner Join", "NestedLoops").over([rows, sum]);
        }
        let sets = escaped(&self.read.between("SET", &["WHERE", "FROM"]));
        let (came, expected) = (rows.came(), rows.expected());
        Node::new("Clustered Index Update", "Update", "Update")
            .part(&self.object(self.read.source(), ""))
            .part(&format!("<SetPredicate><ScalarOperator ScalarString=\"{sets}\" /></SetPredicate>"))
            .rows(came, expected)
            .taking(0.4, 0.01)
            .over([rows])
    }

    fn delete(&self) -> Node {
        let mut rows = if self.read.equality().is_some() {
            self.found()
        } else {
            let condition = escaped(&self.read.between("WHERE", &[]));
            let predicate = format!("<Predicate><ScalarOperator ScalarString=\"{condition}\" /></Predicate>");
            self.scan(500.0, 500.0).part(&predicate).reading(4_000.0, 90)
        };
        if self.read.has("TOP") {
            let (came, expected) = (rows.came(), rows.expected());
            let most = "<TopExpression><ScalarOperator ScalarString=\"(500)\" /></TopExpression>";
            rows = Node::new("Top", "Top", "Top").part(most).rows(came, expected).over([rows]);
        }
        let (came, expected) = (rows.came(), rows.expected());
        Node::new("Clustered Index Delete", "Delete", "Update")
            .part(&self.object(self.read.source(), ""))
            .rows(came, expected)
            .taking(0.4, 0.01)
            .over([rows])
    }

    fn merge(&self) -> Node {
        let given = "<Object Table=\"[@rows]\" Storage=\"RowStore\" />";
        let given = Node::new("Table Scan", "Table Scan", "TableScan").part(given).rows(40.0, 40.0);
        let key = self.read.between("ON", &["WHEN"]);
        let column = key.rsplit('.').next().filter(|name| !name.is_empty()).unwrap_or("Id");
        let seek = self.seek(self.read.source(), "", column, "[s].[Id]").runs(40, 40).rows(38.0, 1.0);
        let loops =
            Node::new("Nested Loops", "Left Outer Join", "NestedLoops").rows(40.0, 40.0).over([given, seek]);
        Node::new("Clustered Index Merge", "Merge", "Update")
            .part(&self.object(self.read.source(), ""))
            .rows(40.0, 40.0)
            .taking(0.4, 0.01)
            .over([loops])
    }
}

/// A row out of nothing.
fn constant() -> Node {
    Node::new("Constant Scan", "Constant Scan", "ConstantScan").taking(0.05, 0.000_001)
}
