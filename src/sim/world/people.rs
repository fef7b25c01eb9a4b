//! The owners of sessions: logins, hosts and programs by the sort of work.

use super::{dice::Dice, moment::Moment, storage, texts::Sort, theme::PEOPLE};

impl Moment<'_> {
    /// Login, host and program of a session.
    pub(super) fn people(&self, sort: Sort, dice: Dice) -> (String, String, String) {
        let p = self.profile;
        let number = |max| dice.of("host").whole(1, max);
        let own_host = || p.name.to_uppercase();
        match sort {
            Sort::Report | Sort::GrantSeeker | Sort::Burner if dice.of("bi").chance(0.5) => {
                ("report_reader".into(), format!("RPT-{:02}", number(4)), "Report Server".into())
            }
            Sort::Etl => {
                ("etl".into(), format!("SSIS-{:02}", number(3)), "SSIS-Load Warehouse-{8A1F}".into())
            }
            Sort::Job => {
                let maintains = dice.of("job").chance(0.5);
                let job = if maintains { "DBA - Index maintenance" } else { "Purge history" };
                ("ACME\\svc_agent".into(), own_host(), self.agent_step(job))
            }
            Sort::Backup => ("ACME\\svc_backup".into(), own_host(), self.agent_step("DBA - Backup full")),
            Sort::Person | Sort::TempdbEater => (
                (*dice.of("person").pick(&PEOPLE)).to_owned(),
                format!("PC-{:04}", number(4000)),
                "Microsoft SQL Server Management Studio - Query".into(),
            ),
            _ => {
                let program = (*dice.of("program").pick(p.theme.programs)).to_owned();
                (p.theme.login.into(), format!("{}-{:02}", p.theme.host, number(9)), program)
            }
        }
    }

    /// The program name of the first step of a job, with the job's id as it lies in memory.
    fn agent_step(&self, job: &str) -> String {
        let id = u128::from_be_bytes(storage::job_id(self.profile, job));
        format!("SQLAgent - TSQL JobStep (Job 0x{id:032X} : Step 1)")
    }
}
