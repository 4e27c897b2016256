//! `verify`: every file is judged by its content, at one time, against trusted CAs. Offline: what is not given is not fetched.
use std::{fs, path::PathBuf, process::ExitCode};

use clap::Args;
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use yinxin_pki::{
    Certificate, Crl, OcspResponse,
    cms::{Cms, SignedData},
    key::DEFAULT_ID,
    path::{self, Options, Outcome, Report, Revocation, TrustAnchor},
};

use super::{
    failure::Failure,
    material::{self, Found, Object},
    output::Output,
};

mod report;

use report::Judgement;

pub const EXAMPLES: &str = "\
Examples:
  yinxin-agent verify certificate.cer issuing.cer --trust ./roots
  yinxin-agent verify certificate.pem --trust ./roots --at 2026-11-01T08:00:00Z --crl issuing.crl --crl root.crl
  yinxin-agent verify contract.p7 --trust ./roots --ocsp answer.der --json
  yinxin-agent verify request.csr --trust ./roots --id 'ALICE'

Each FILE is judged by its content: a certificate by its path to the trust, a request by its proof of possession, a
revocation list or an OCSP answer by its signature and its times, a signed message by its signatures and its signers' paths.
All certificates in the files may serve as intermediates. Nothing is fetched.

Without --crl and --ocsp revocation is not checked: the report has a note, and the verdict can still be passed. With them
a certificate needs one that speaks for it, a CA's only if it names lists or responders; else the verdict is indeterminate.

Exit codes: 0 passed, 1 failed, 2 indeterminate (could be told neither way), 64 wrong use.";

/// Files that a trust folder may have.
const MAX_TRUST_FILES: usize = 1024;

#[derive(Args)]
pub struct Arguments {
    /// What is to be judged: certificates, requests, revocation lists, OCSP answers, signed messages.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Folder with the certificates of trusted CAs; each is a trust anchor.
    #[arg(long, value_name = "DIR")]
    trust: PathBuf,
    /// The time to judge at, as RFC 3339 writes it [default: now]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    at: Option<OffsetDateTime>,
    /// A revocation list to ask; may be given several times.
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,
    /// An OCSP answer to ask; may be given several times.
    #[arg(long, value_name = "FILE")]
    ocsp: Vec<PathBuf>,
    /// Identity of SM2 signers.
    #[arg(long, value_name = "DISTID", default_value = DEFAULT_ID)]
    id: String,
}

fn parse_time(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(|_| "write it like 2026-11-01T08:00:00Z".to_owned())
}

/// Judges all files.
pub fn run(arguments: &Arguments) -> Result<(Output, ExitCode), Failure> {
    let anchors = trust(&arguments.trust)?;
    let (crls, answers) = (lists(&arguments.crl)?, answers(&arguments.ocsp)?);
    let files: Vec<(String, Vec<Found>)> = arguments
        .files
        .iter()
        .map(|file| Ok((file.display().to_string(), material::read(file)?)))
        .collect::<Result<_, Failure>>()?;
    let candidates = files.iter().flat_map(|(_, found)| found).filter_map(certificate);
    let bench = Bench {
        candidates: candidates.cloned().collect(),
        anchors,
        options: Options {
            id: &arguments.id,
            revocation: if crls.is_empty() && answers.is_empty() {
                Revocation::Unchecked
            } else {
                Revocation::Target
            },
            crls: &crls,
            ocsp: &answers,
            ..Options::at(arguments.at.unwrap_or_else(OffsetDateTime::now_utc))
        },
    };
    let judgements: Vec<Judgement> = files
        .iter()
        .flat_map(|(name, found)| bench.judge_file(name, found))
        .collect();
    let verdict = judgements
        .iter()
        .map(|judgement| judgement.report.verdict)
        .max()
        .unwrap_or(Outcome::Indeterminate);
    let at = bench.options.at;
    let text: String = judgements.iter().map(|judgement| judgement.to_text(at)).collect();
    let list: Vec<Value> = judgements.iter().map(Judgement::to_json).collect();
    let output = Output {
        text: format!("{text}{verdict}\n"),
        json: json!({ "verdict": verdict.as_str(), "at": report::utc(at), "files": list }),
    };
    let code = match verdict {
        Outcome::Passed => 0,
        Outcome::Failed => 1,
        Outcome::Indeterminate => 2,
    };
    Ok((output, ExitCode::from(code)))
}

/// Everything that each file is held against.
struct Bench<'a> {
    candidates: Vec<Certificate>,
    anchors: Vec<TrustAnchor>,
    options: Options<'a>,
}

impl Bench<'_> {
    /// A file that begins with a certificate is about that one, and the others in it help; otherwise each object counts.
    fn judge_file(&self, file: &str, found: &[Found]) -> Vec<Judgement> {
        let about = match found.first() {
            Some(Ok(Object::Certificate(_))) => &found[..1],
            _ => found,
        };
        if about.is_empty() {
            return vec![Judgement::unreadable(file, "the file is empty")];
        }
        about.iter().flat_map(|found| self.judge(file, found)).collect()
    }

    fn judge(&self, file: &str, found: &Found) -> Vec<Judgement> {
        let object = match found {
            Ok(object) => object,
            Err(reason) => return vec![Judgement::unreadable(file, reason)],
        };
        let (candidates, anchors, options) = (&self.candidates, &self.anchors, &self.options);
        let reports = match object {
            Object::Certificate(certificate) => {
                vec![path::validate(certificate, candidates, anchors, options)]
            }
            Object::Request(request) => vec![path::validate_request(request, options)],
            Object::Crl(crl) => vec![path::validate_list(crl, candidates, anchors, options)],
            Object::OcspResponse(answer) => match &answer.basic {
                Some(basic) => vec![path::validate_answer(basic, candidates, anchors, options)],
                None => {
                    return vec![Judgement::unreadable(
                        file,
                        "the OCSP answer is an error and says nothing",
                    )];
                }
            },
            Object::Cms(message) => match &**message {
                Cms::Signed(signed) | Cms::SignedAndEnveloped(_, signed) => self.judge_message(signed),
                Cms::Enveloped(_) => {
                    return vec![Judgement::unreadable(
                        file,
                        "an enveloped message has no signature to judge",
                    )];
                }
            },
            Object::OcspRequest(_) | Object::EnvelopedKey(_) => {
                return vec![Judgement::unreadable(file, "there is no signature to judge")];
            }
        };
        if reports.is_empty() {
            return vec![Judgement::unreadable(file, "nobody has signed the message")];
        }
        reports
            .into_iter()
            .map(|report| Judgement {
                file: file.to_owned(),
                kind: object.kind(),
                anchor: self.anchor_name(&report),
                report,
            })
            .collect()
    }

    fn judge_message(&self, signed: &SignedData) -> Vec<Report> {
        let judge = |signer| {
            path::validate_message(
                signed,
                signer,
                None,
                &self.candidates,
                &self.anchors,
                &self.options,
            )
        };
        signed.signers.iter().map(judge).collect()
    }

    fn anchor_name(&self, report: &Report) -> Option<String> {
        let anchor = self.anchors.get(report.anchor?)?;
        Some(super::output::name(anchor.name()))
    }
}

fn certificate(found: &Found) -> Option<&Certificate> {
    match found {
        Ok(Object::Certificate(certificate)) => Some(certificate),
        _ => None,
    }
}

/// The certificates of a folder.
fn trust(folder: &PathBuf) -> Result<Vec<TrustAnchor>, Failure> {
    let name = || folder.display().to_string();
    let unreadable = |error| Failure::Unreadable(name(), error);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_file() {
            files.push(path);
        }
        if files.len() > MAX_TRUST_FILES {
            return Err(Failure::Material(name(), "has too many files for a trust folder"));
        }
    }
    files.sort();
    let mut anchors = Vec::new();
    for file in files {
        let found = material::read(&file)?;
        anchors.extend(found.iter().filter_map(certificate).cloned());
    }
    if anchors.is_empty() {
        return Err(Failure::Material(name(), "has no certificate"));
    }
    Ok(anchors.into_iter().map(TrustAnchor::from_certificate).collect())
}

fn lists(files: &[PathBuf]) -> Result<Vec<Crl>, Failure> {
    evidence(files, "is not a revocation list", |object| match object {
        Object::Crl(crl) => Some(*crl),
        _ => None,
    })
}

fn answers(files: &[PathBuf]) -> Result<Vec<OcspResponse>, Failure> {
    evidence(files, "is not an OCSP answer", |object| match object {
        Object::OcspResponse(answer) => Some(*answer),
        _ => None,
    })
}

fn evidence<T>(
    files: &[PathBuf],
    complaint: &'static str,
    take: impl Fn(Object) -> Option<T>,
) -> Result<Vec<T>, Failure> {
    let mut evidence = Vec::new();
    for file in files {
        for found in material::read(file)? {
            let taken = found.ok().and_then(&take);
            evidence.push(taken.ok_or_else(|| Failure::Material(file.display().to_string(), complaint))?);
        }
    }
    Ok(evidence)
}
