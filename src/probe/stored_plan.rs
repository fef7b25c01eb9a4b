//! Plans that a Query Store has, asked for by the query or by the plan. Part of the questions on demand. First the list of the plans
//! without XML, then the XML of one after another: so that one which is too large hides no other.

use super::{
    batch::{self, Sets},
    catalog::VARIANTS,
    context::ProbeContext,
    each::{PLACEHOLDER, why_not},
    query::hash,
    room,
    script::{Script, script},
};
use crate::{
    model::{
        base::failure::{Failure, FailureKind},
        poll::demand::{FoundPlan, PlanSource, StoredPlan},
    },
    sql::ident,
    tds::{Ask, Param, Question, Row},
};
use std::{cmp::Reverse, sync::Arc, time::Duration};

pub(super) const PLANS: Script = script!("query_store_plans", Performance, by "plan_id");
pub(super) const XML: Script = script!("query_store_plan", Performance, one row);

/// Until an answer is there: one plan may be large, and is unpacked on the server.
const WITHIN: Duration = Duration::from_secs(20);
/// Plans of a query that are asked for.
const MOST: usize = 4;
/// Variants of a query whose plans are asked for.
const MOST_VARIANTS: usize = 3;

/// A store that is asked.
struct Store<'a> {
    id: i32,
    /// as the server spells it
    name: Arc<str>,
    ctx: &'a ProbeContext,
}

/// The plans of a query and of its variants, the one that ran last first.
///
/// # Errors
/// The database cannot be asked, or the store has no plan of it: in words.
pub(super) async fn of_query<C: Ask>(
    conn: &mut C,
    database_id: i32,
    query_id: i64,
    ctx: &ProbeContext,
) -> Result<Vec<FoundPlan>, Failure> {
    let store = Store::open(conn, database_id, ctx).await?;
    let mut plans = Vec::new();
    for variant in store.variants(conn, query_id).await? {
        plans.extend(store.plans(conn, [Param::Int(variant), Param::Null]).await?);
    }
    // The plan of a query with variants only chooses among theirs, unless it is forced.
    let has_variants = !plans.is_empty();
    let own = store.plans(conn, [Param::Int(query_id), Param::Null]).await?;
    let is_forced = |plan: &FoundPlan| plan.stored.as_ref().is_some_and(|stored| stored.is_forced);
    plans.extend(own.into_iter().filter(|plan| !has_variants || is_forced(plan)));
    plans.sort_by_key(|plan| Reverse(plan.started_at));
    store.with_xml(conn, plans, || format!("of query {query_id}")).await
}

/// A plan by its number.
///
/// # Errors
/// The database cannot be asked, or the store has no such plan: in words.
pub(super) async fn one<C: Ask>(
    conn: &mut C,
    database_id: i32,
    plan_id: i64,
    ctx: &ProbeContext,
) -> Result<Vec<FoundPlan>, Failure> {
    let store = Store::open(conn, database_id, ctx).await?;
    let plans = store.plans(conn, [Param::Null, Param::Int(plan_id)]).await?;
    store.with_xml(conn, plans, || format!("with the number {plan_id}")).await
}

impl<'a> Store<'a> {
    async fn open<C: Ask>(conn: &mut C, id: i32, ctx: &'a ProbeContext) -> Result<Self, Failure> {
        Ok(Self { id, name: room::online(conn, id, ctx).await?, ctx })
    }

    /// Asks the database. What it refuses is told in words.
    async fn ask<C: Ask>(&self, conn: &mut C, script: Script, more: &[Param<'_>]) -> Result<Sets, Failure> {
        let sql = batch::statement(script.text).replace(PLACEHOLDER, &ident::quote_name(&self.name));
        let params: Vec<Param<'_>> =
            [Param::Int(self.id.into())].into_iter().chain(more.iter().copied()).collect();
        let question = Question { what: script.name, sql: &sql, params: &params, within: WITHIN };
        let answer = conn.ask(question).await;
        let sets = Sets::of(answer.sets, &[script]);
        match answer.error {
            Some(failure) if failure.kind == FailureKind::Timeout => Err(failure),
            Some(failure) => {
                let text = room::words(&why_not(&failure, self.ctx));
                Err(Failure { text: text.into(), ..failure })
            }
            None if sets.has(script.name) => Ok(sets),
            None => {
                let text = format!("the answer lacks the result set of {}", script.name);
                Err(Failure::new(FailureKind::Protocol, text))
            }
        }
    }

    /// The variants of a query for different parameters: their plans do the work. Servers before 2022 have none.
    async fn variants<C: Ask>(&self, conn: &mut C, query_id: i64) -> Result<Vec<i64>, Failure> {
        if self.ctx.has("query_store_query_variant") != Some(true) {
            return Ok(Vec::new());
        }
        let sets = self.ask(conn, VARIANTS, &[]).await?;
        let is_of = |row: &Row<'_>| row.i64("parent_query_id") == Some(query_id);
        let variants =
            sets.all(VARIANTS.name).filter(is_of).filter_map(|row| row.i64("query_variant_query_id"));
        Ok(variants.filter(|variant| *variant != query_id).take(MOST_VARIANTS).collect())
    }

    /// Plans without their XML.
    async fn plans<C: Ask>(&self, conn: &mut C, of: [Param<'_>; 2]) -> Result<Vec<FoundPlan>, Failure> {
        let sets = self.ask(conn, PLANS, &of).await?;
        Ok(sets.all(PLANS.name).filter_map(|row| self.plan(row)).collect())
    }

    fn plan(&self, row: Row<'_>) -> Option<FoundPlan> {
        let clock = self.ctx.clock();
        let at = |column: &str| row.instant(column).map(|(at, _)| clock.ours(at));
        let ms = |column: &str| row.f64(column).filter(|us| *us >= 0.0).map(|us| us / 1_000.0);
        Some(FoundPlan {
            source: PlanSource::Stored,
            query_hash: None,
            plan_hash: hash(row, "query_plan_hash"),
            compiled_at: at("last_compile_start_time"),
            started_at: at("last_execution_time"),
            runs: row.count("runs"),
            cpu_ms: ms("sum_cpu_us"),
            elapsed_ms: ms("elapsed_us"),
            xml: None,
            stored: Some(StoredPlan {
                database: self
                    .ctx
                    .database(Some(self.id))
                    .unwrap_or_else(|| format!("db {}", self.id).into()),
                query_id: row.i64("query_id")?,
                plan_id: row.i64("plan_id")?,
                is_forced: row.bool("is_forced_plan") == Some(true),
                failures: row.count("force_failure_count"),
                reason: row.i64("last_force_failure_reason"),
                xml_bytes: None,
            }),
            not_live: None,
        })
    }

    /// The first plans with their XML. One that cannot be had stays without it, as long as the connection stands.
    async fn with_xml<C: Ask>(
        &self,
        conn: &mut C,
        mut plans: Vec<FoundPlan>,
        which: impl Fn() -> String,
    ) -> Result<Vec<FoundPlan>, Failure> {
        plans.truncate(MOST);
        if plans.is_empty() {
            let text = format!(
                "the Query Store of the database has no plan {} any more: it deleted it, or was emptied",
                which()
            );
            return Err(Failure::new(FailureKind::MissingObject, text));
        }
        for at in 0..plans.len() {
            let Some(stored) = &mut plans[at].stored else { continue };
            match self.ask(conn, XML, &[Param::Int(stored.plan_id)]).await {
                Ok(sets) => {
                    let row = sets.all(XML.name).next();
                    stored.xml_bytes = row.and_then(|row| row.count("plan_bytes"));
                    plans[at].xml = row.and_then(|row| row.raw_text("query_plan")).map(Into::into);
                }
                Err(failure) if !conn.is_open() && plans.iter().all(|plan| plan.xml.is_none()) => {
                    return Err(failure);
                }
                Err(_) if !conn.is_open() => break,
                Err(_) => {}
            }
        }
        Ok(plans)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{
            base::time::Timestamp,
            poll::{Sample, State, databases::DatabaseRow, rights::Rights},
        },
        probe::fixture::{set, text},
        tds::{Answer, Cell, ResultSet},
    };

    /// A server with the database `or]ders`, id 5, whose store has the plans 71 and 72 of query 7 and plan 91 of query 9, a variant of
    /// query 8. Plan 72 is forced, and has no XML; that of 71 is too large.
    struct Server {
        asked: Vec<String>,
        state: &'static str,
        /// the script that is refused, and how
        refuses: Option<(&'static str, Failure)>,
        open: bool,
    }

    impl Server {
        fn new() -> Self {
            Self { asked: Vec::new(), state: "ONLINE", refuses: None, open: true }
        }

        fn rows(&self, question: &Question<'_>) -> ResultSet {
            let number = |at: usize| match question.params.get(at) {
                Some(Param::Int(n)) => Some(*n),
                _ => None,
            };
            match question.what {
                "room_databases" => {
                    let row = vec![Cell::Int(5), text("or]ders"), text(self.state)];
                    let rows = if number(0) == Some(5) { vec![row] } else { Vec::new() };
                    set("room_databases", &["database_id", "database_name", "state_desc"], rows)
                }
                "query_store_variants" => {
                    let row = |variant, of| vec![Cell::Int(5), Cell::Int(variant), Cell::Int(of)];
                    let columns = ["database_id", "query_variant_query_id", "parent_query_id"];
                    set("query_store_variants", &columns, vec![row(9, 8), row(8, 8), row(11, 10)])
                }
                "query_store_plans" => {
                    let columns = [
                        "plan_id",
                        "query_id",
                        "is_forced_plan",
                        "force_failure_count",
                        "last_force_failure_reason",
                        "last_execution_time",
                        "runs",
                        "elapsed_us",
                    ];
                    let row = |plan: i64, query: i64, is_forced, hour: i64| {
                        vec![
                            Cell::Int(plan),
                            Cell::Int(query),
                            Cell::Bool(is_forced),
                            Cell::Int(3),
                            Cell::Int(8_712),
                            Cell::Instant { utc_ms: 1_700_000_000_000 + hour * 3_600_000, offset_min: 60 },
                            Cell::Int(40),
                            Cell::Float(80_000.0),
                        ]
                    };
                    let all = [row(71, 7, false, 1), row(72, 7, true, 2), row(91, 9, false, 3)];
                    let is_wanted = |row: &Vec<Cell>| {
                        row[1] == number(1).map_or(Cell::Null, Cell::Int)
                            || row[0] == number(2).map_or(Cell::Null, Cell::Int)
                    };
                    set("query_store_plans", &columns, all.into_iter().filter(is_wanted).collect())
                }
                _ => {
                    let (bytes, xml) = match number(1) {
                        Some(71) => (Cell::Int(9 << 20), Cell::Null),
                        Some(72) => (Cell::Null, Cell::Null),
                        _ => (Cell::Int(8), text("<x/>")),
                    };
                    set("query_store_plan", &["plan_bytes", "query_plan"], vec![vec![bytes, xml]])
                }
            }
        }
    }

    impl Ask for Server {
        async fn ask(&mut self, question: Question<'_>) -> Answer {
            assert!(self.open, "asked over a connection that is lost");
            self.asked.push(question.sql.to_owned());
            if let Some((what, failure)) = &self.refuses
                && *what == question.what
            {
                self.open = failure.kind != FailureKind::Timeout;
                return Answer { sets: Vec::new(), error: Some(failure.clone()) };
            }
            Answer { sets: vec![self.rows(&question)], error: None }
        }

        fn is_open(&self) -> bool {
            self.open
        }

        fn transport(&self) -> &'static str {
            ""
        }
    }

    /// A server of 2022.
    fn context() -> ProbeContext {
        let mut ctx = ProbeContext::new(Timestamp::default);
        let present = vec!["query_store_query_variant".into()];
        ctx.absorb(&Sample::Known(State::Rights(Arc::new(Rights { rights: vec![], present }))));
        let orders = DatabaseRow { id: 5, name: Some("or]ders".into()), ..DatabaseRow::default() };
        ctx.absorb(&Sample::Known(State::Databases(Arc::new(vec![orders]))));
        ctx
    }

    fn ids(plans: &[FoundPlan]) -> Vec<i64> {
        plans.iter().filter_map(|plan| Some(plan.stored.as_ref()?.plan_id)).collect()
    }

    #[tokio::test]
    async fn all_plans_of_a_query_come_the_newest_first_and_those_without_xml_say_why() {
        let mut server = Server::new();
        let plans = of_query(&mut server, 5, 7, &context()).await.unwrap();
        assert!(
            server.asked.iter().skip(1).all(|sql| sql.contains("[or]]ders].sys.query_store_")),
            "{:?}",
            server.asked
        );
        assert_eq!(ids(&plans), [72, 71]);
        let [forced, large] = &plans[..] else { panic!("{plans:?}") };
        let stored = forced.stored.as_ref().unwrap();
        assert_eq!((&*stored.database, stored.query_id, forced.source), ("or]ders", 7, PlanSource::Stored));
        assert_eq!(
            stored.forced_words().as_deref(),
            Some("yes, and it failed 3 times: an index of it is not there")
        );
        assert_eq!((forced.runs, forced.elapsed_ms), (Some(40), Some(80.0)));
        assert!(
            forced.words_without_xml().contains("deeper than 128 levels"),
            "{}",
            forced.words_without_xml()
        );
        assert_eq!(
            large.stored.as_ref().unwrap().forced_words(),
            None,
            "failures of a time when it was forced"
        );
        assert!(large.words_without_xml().contains("9.0 MB"), "{}", large.words_without_xml());
    }

    #[tokio::test]
    async fn of_a_query_with_variants_their_plans_come_and_one_plan_by_its_number() {
        let plans = of_query(&mut Server::new(), 5, 8, &context()).await.unwrap();
        assert_eq!((ids(&plans), plans[0].xml.as_deref()), (vec![91], Some("<x/>")));
        assert_eq!(ids(&one(&mut Server::new(), 5, 72, &context()).await.unwrap()), [72]);
        let gone = one(&mut Server::new(), 5, 99, &context()).await.unwrap_err();
        assert!(gone.text.contains("no plan with the number 99 any more"), "{gone:?}");
        // Before 2022 there are no variants to ask for.
        let (mut server, ctx) = (Server::new(), ProbeContext::new(Timestamp::default));
        assert!(of_query(&mut server, 5, 8, &ctx).await.is_err());
        assert!(server.asked.iter().all(|sql| !sql.contains("variant")), "{:?}", server.asked);
    }

    #[tokio::test]
    async fn what_a_database_refuses_is_told_in_words() {
        let failed = |kind, number| Failure { number, ..Failure::new(kind, "no") };
        for (script, failure, words) in [
            (
                "query_store_plans",
                failed(FailureKind::Permission, Some(916)),
                "the login lacks CONNECT ANY DATABASE",
            ),
            (
                "query_store_plans",
                failed(FailureKind::Permission, Some(262)),
                "the login lacks VIEW DATABASE STATE",
            ),
            ("query_store_plan", failed(FailureKind::Timeout, None), "no"),
        ] {
            let mut server = Server { refuses: Some((script, failure)), ..Server::new() };
            let failure = of_query(&mut server, 5, 7, &context()).await.unwrap_err();
            assert_eq!(&*failure.text, words, "{script}");
        }
        let mut server = Server { state: "RESTORING", ..Server::new() };
        let offline = of_query(&mut server, 5, 7, &context()).await.unwrap_err();
        assert_eq!(&*offline.text, "the database is RESTORING");
        let unseen = of_query(&mut Server::new(), 6, 7, &context()).await.unwrap_err();
        assert!(unseen.text.contains("the database is gone"), "{unseen:?}");
        // One XML that is refused hides no other plan.
        let refused = Some(("query_store_plan", failed(FailureKind::LockTimeout, None)));
        let plans =
            of_query(&mut Server { refuses: refused, ..Server::new() }, 5, 7, &context()).await.unwrap();
        assert_eq!(ids(&plans), [72, 71]);
    }
}
