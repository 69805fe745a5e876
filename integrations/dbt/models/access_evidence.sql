select * from {{ ref('extraction_evidence') }}
